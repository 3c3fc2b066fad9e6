import { CLOSE, readClose } from './close_code.ts';
import { unmask } from './unmask.ts';

/** Whose frames are read: a client's are masked, a server's are not (RFC 6455, 5.1). */
export type Sender = 'client' | 'server';

/** Nothing after this counts any more. */
export type FrameEnd =
  /** The peer's Close; `code` is null where it gave none. */
  | { readonly kind: 'close'; readonly code: number | null }
  /** The peer broke the rules; `code` is the close code to tell it. */
  | { readonly kind: 'bad'; readonly code: 1002 | 1003 | 1007; readonly detail: string };

/** What was in a chunk. */
export interface Decoded {
  /** Payload of data frames, a piece of the chunk that was given. Empty: there was none. */
  readonly data: Buffer;
  /** The payload of the last Ping: to answer that one is enough (RFC 6455, 5.5.3). */
  readonly ping: Buffer | null;
  readonly end: FrameEnd | null;
}

const NOTHING = Buffer.alloc(0);
const MAX_CONTROL_BYTES = 125;
const OPCODE = { continuation: 0x0, text: 0x1, binary: 0x2, close: 0x8, ping: 0x9, pong: 0xa } as const;

/**
 * Takes the frames off a stream (RFC 6455, 5). Frames, messages and chunks need not align, and no frame is ever held: data
 * is passed on as it comes, so a frame may say any length. What is kept is a few numbers, and at most 125 bytes of a
 * control frame.
 */
export class FrameDecoder {
  readonly #masked: boolean;
  /** What the next byte belongs to. */
  #part: 'first' | 'second' | 'length' | 'mask' | 'payload' = 'first';
  /** Bytes of an extended length, or of the mask, that are still to come. */
  #partLeft = 0;
  #opcode: number = OPCODE.continuation;
  #final = true;
  /** The shortest length that may be written as this frame's is. */
  #shortest = 0;
  /** Of the payload. Above 2^53 it is not exact, and never reached. */
  #length = 0;
  #left = 0;
  #mask = 0;
  /** A data message has begun whose last frame is still to come (RFC 6455, 5.4). */
  #inMessage = false;
  /** Bytes of data so far. */
  #dataBytes = 0;
  #wholeBytes = 0;
  #control: Buffer = NOTHING;
  #ping: Buffer | null = null;
  #end: FrameEnd | null = null;

  constructor(sender: Sender) {
    this.#masked = sender === 'client';
  }

  /** Bytes of data up to the last end of a message. */
  get wholeBytes(): number {
    return this.#wholeBytes;
  }

  /** Takes a chunk, whose bytes are overwritten. Not to be called again when there was an `end`. */
  push(chunk: Buffer): Decoded {
    let at = 0;
    // Payloads move down over the heads between them: one piece of data for each chunk, however small its frames.
    let from = 0;
    let to = 0;
    this.#ping = null;
    while (at < chunk.length && this.#end === null) {
      if (this.#part !== 'payload') {
        at = this.#readHead(chunk, at);
        continue;
      }
      const done = this.#length - this.#left;
      const next = at + Math.min(this.#left, chunk.length - at);
      if (this.#masked) unmask(chunk, at, next, this.#mask, done);
      if (isControl(this.#opcode)) chunk.copy(this.#control, done, at, next);
      else {
        if (from === to) from = to = at;
        else if (to !== at) chunk.copyWithin(to, at, next);
        to += next - at;
        this.#dataBytes += next - at;
      }
      this.#left -= next - at;
      at = next;
      if (this.#left === 0) this.#frameEnds();
    }
    return { data: from === to ? NOTHING : chunk.subarray(from, to), ping: this.#ping, end: this.#end };
  }

  /** Reads head bytes until the payload begins, the chunk ends, or a rule is broken. Answers where it stopped. */
  #readHead(chunk: Buffer, start: number): number {
    let at = start;
    while (at < chunk.length && this.#part !== 'payload' && this.#end === null) {
      const byte = chunk[at] ?? 0;
      at += 1;
      if (this.#part === 'first') this.#readFirst(byte);
      else if (this.#part === 'second') this.#readSecond(byte);
      else if (this.#part === 'length') this.#readLength(byte);
      else this.#readMask(byte);
    }
    // An empty frame ends where it begins: no byte follows that would show it.
    if (this.#part === 'payload' && this.#left === 0 && this.#end === null) this.#frameEnds();
    return at;
  }

  /** RFC 6455, 5.2: FIN, RSV1 to RSV3, opcode. */
  #readFirst(byte: number): void {
    this.#opcode = byte & 0x0f;
    this.#final = (byte & 0x80) !== 0;
    this.#part = 'second';
    const wrong = (byte & 0x70) !== 0 ? 'a reserved bit' : this.#wrongOpcode();
    if (wrong !== null) this.#bad(CLOSE.protocolError, wrong);
    // [MQTT-6.0.0-1]: binary frames only.
    else if (this.#opcode === OPCODE.text) this.#bad(CLOSE.unsupportedData, 'a text frame');
  }

  #wrongOpcode(): string | null {
    const opcode = this.#opcode;
    if (opcode > OPCODE.pong || (opcode > OPCODE.binary && opcode < OPCODE.close)) return 'a reserved opcode';
    if (isControl(opcode)) return this.#final ? null : 'a fragmented control frame';
    if (opcode === OPCODE.continuation) return this.#inMessage ? null : 'a continuation of nothing';
    return this.#inMessage ? 'a new message within a fragmented one' : null;
  }

  #readSecond(byte: number): void {
    const length = byte & 0x7f;
    if (((byte & 0x80) !== 0) !== this.#masked) {
      this.#bad(CLOSE.protocolError, this.#masked ? 'a frame that is not masked' : 'a masked frame');
    } else if (isControl(this.#opcode) && length > MAX_CONTROL_BYTES) {
      this.#bad(CLOSE.protocolError, 'a control frame of more than 125 bytes');
    } else if (length <= MAX_CONTROL_BYTES) {
      this.#length = length;
      this.#lengthEnds();
    } else {
      this.#length = 0;
      this.#part = 'length';
      this.#partLeft = length === 126 ? 2 : 8;
      this.#shortest = length === 126 ? 126 : 65_536;
    }
  }

  /** The highest of 64 bits is 0, and the shortest form must be used (RFC 6455, 5.2). */
  #readLength(byte: number): void {
    if (this.#partLeft === 8 && byte > 0x7f) {
      this.#bad(CLOSE.protocolError, 'a length of 2^63 or more');
      return;
    }
    this.#length = this.#length * 256 + byte;
    this.#partLeft -= 1;
    if (this.#partLeft > 0) return;
    if (this.#length < this.#shortest) this.#bad(CLOSE.protocolError, 'a length in more bytes than it needs');
    else this.#lengthEnds();
  }

  #lengthEnds(): void {
    this.#left = this.#length;
    if (isControl(this.#opcode)) this.#control = this.#length === 0 ? NOTHING : Buffer.alloc(this.#length);
    this.#part = this.#masked ? 'mask' : 'payload';
    this.#partLeft = 4;
  }

  #readMask(byte: number): void {
    this.#mask = (this.#mask << 8) | byte;
    this.#partLeft -= 1;
    if (this.#partLeft === 0) this.#part = 'payload';
  }

  #frameEnds(): void {
    this.#part = 'first';
    if (!isControl(this.#opcode)) {
      this.#inMessage = !this.#final;
      if (this.#final) this.#wholeBytes = this.#dataBytes;
      return;
    }
    if (this.#opcode === OPCODE.ping) this.#ping = this.#control;
    else if (this.#opcode === OPCODE.close) this.#end = readClose(this.#control);
    this.#control = NOTHING;
  }

  #bad(code: 1002 | 1003, detail: string): void {
    this.#end = { kind: 'bad', code, detail };
  }
}

function isControl(opcode: number): boolean {
  return opcode >= OPCODE.close;
}
