/** What a ClientHello says before a single key is computed. */
export interface ClientHello {
  /** The server name that is asked for, in lower case; null: none. */
  readonly sni: string | null;
  /** The protocols that are offered (ALPN). */
  readonly alpn: readonly string[];
}

export type HelloReading =
  /** There is nothing to be learned before so many bytes are there. */
  | { readonly kind: 'more'; readonly atLeastBytes: number }
  | { readonly kind: 'hello'; readonly hello: ClientHello }
  /** It is not TLS at all: an answer would not be understood. */
  | { readonly kind: 'stranger'; readonly detail: string }
  /** TLS, but against its rules. */
  | { readonly kind: 'bad'; readonly detail: string };

const RECORD_HEADER_BYTES = 5;
const HANDSHAKE_HEADER_BYTES = 4;
const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
/** RFC 8446, 5.1. */
const MAX_RECORD_BYTES = 16_384;
/** Two full records. Real ones have some 300 bytes to 2 KiB; a ticket that holds a client's certificate adds up to 4. */
export const MAX_HELLO_BYTES = 32_768;

const SERVER_NAME = 0;
const ALPN = 16;
/** RFC 6066, 3: ASCII, as in DNS; the underscore is against the rules and in use. */
const HOST_NAME = /^[a-z0-9_-](?:[a-z0-9._-]{0,253})$/;

/** Reads the ClientHello at the beginning of a stream: in one record or in several (RFC 8446, 5.1). */
export function readClientHello(bytes: Buffer): HelloReading {
  let message: Buffer = Buffer.alloc(0);
  let at = 0;
  for (;;) {
    const end = recordEnd(bytes, at);
    if (typeof end !== 'number') return end;
    message = Buffer.concat([message, bytes.subarray(at + RECORD_HEADER_BYTES, end)]);
    at = end;
    if (message.length < HANDSHAKE_HEADER_BYTES) continue;
    if (message[0] !== CLIENT_HELLO) return bad(`handshake message ${message[0]} instead of a ClientHello`);
    const wanted = HANDSHAKE_HEADER_BYTES + message.readUIntBE(1, 3);
    if (wanted > MAX_HELLO_BYTES) return bad(`a ClientHello of ${wanted} bytes`);
    if (message.length >= wanted) return readBody(message.subarray(HANDSHAKE_HEADER_BYTES, wanted));
  }
}

/** Where the handshake record ends that begins at `at` and is whole; else what is to be said. */
function recordEnd(bytes: Buffer, at: number): number | HelloReading {
  if (bytes.length > at && bytes[at] !== HANDSHAKE_RECORD) return misplaced(bytes, at);
  if (bytes.length < at + RECORD_HEADER_BYTES) return { kind: 'more', atLeastBytes: at + RECORD_HEADER_BYTES };
  if (bytes[at + 1] !== 3) return misplaced(bytes, at);
  const length = bytes.readUInt16BE(at + 3);
  if (length === 0 || length > MAX_RECORD_BYTES) return bad(`a record of ${length} bytes`);
  const end = at + RECORD_HEADER_BYTES + length;
  if (end > MAX_HELLO_BYTES) return bad(`a ClientHello of more than ${MAX_HELLO_BYTES} bytes`);
  return bytes.length < end ? { kind: 'more', atLeastBytes: end } : end;
}

/** Another record than a handshake's: at the very beginning, it is something else than TLS. */
function misplaced(bytes: Buffer, at: number): HelloReading {
  if (at > 0) return bad('the ClientHello is interrupted by another record');
  const first = bytes[0] ?? 0;
  if (first === HANDSHAKE_RECORD) return bad(`protocol version ${bytes[1]}.${bytes[2]}`);
  if (first === 0x10) return { kind: 'stranger', detail: 'an MQTT CONNECT without TLS' };
  if (/^[A-Z]{3,7} /.test(bytes.toString('latin1', 0, 8)))
    return { kind: 'stranger', detail: 'an HTTP request without TLS' };
  return { kind: 'stranger', detail: `first byte 0x${first.toString(16).padStart(2, '0')}` };
}

function bad(detail: string): HelloReading {
  return { kind: 'bad', detail };
}

/** RFC 8446, 4.1.2. What is in the other fields is OpenSSL's to judge. */
function readBody(body: Buffer): HelloReading {
  const reader = new Reader(body);
  reader.skip(2 + 32);
  reader.block(1);
  reader.block(2);
  reader.block(1);
  const found: { sni: string | null; alpn: readonly string[] } = { sni: null, alpn: [] };
  // A hello of TLS 1.2 may have no extensions at all.
  const extensions = reader.isAtEnd ? new Reader(Buffer.alloc(0)) : new Reader(reader.block(2));
  while (!extensions.isAtEnd) {
    const type = extensions.number(2);
    const content = new Reader(extensions.block(2));
    if (type === SERVER_NAME) found.sni = readServerName(content);
    if (type === ALPN) found.alpn = readProtocols(content);
    if (content.isBroken) return bad('a malformed ClientHello');
  }
  if (reader.isBroken || extensions.isBroken) return bad('a malformed ClientHello');
  if (found.sni !== null && !HOST_NAME.test(found.sni)) return bad('a server name that is no host name');
  return { kind: 'hello', hello: found };
}

/** RFC 6066, 3: a list that holds one name at most of each type; type 0 is a host name, and there is no other. */
function readServerName(content: Reader): string | null {
  const list = new Reader(content.block(2));
  let name: string | null = null;
  while (!list.isAtEnd) {
    const type = list.number(1);
    const text = list.block(2).toString('latin1').toLowerCase();
    if (type === 0) name ??= text;
  }
  if (list.isBroken) content.break();
  return name;
}

/** RFC 7301, 3.1. */
function readProtocols(content: Reader): readonly string[] {
  const list = new Reader(content.block(2));
  const names: string[] = [];
  while (!list.isAtEnd) names.push(list.block(1).toString('latin1'));
  if (list.isBroken) content.break();
  return names;
}

/** Reads lengths and blocks. Beyond the end it answers nothing, is at its end, and remembers that it is broken. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;
  #broken = false;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#broken || this.#at === this.#bytes.length;
  }

  get isBroken(): boolean {
    return this.#broken;
  }

  break(): void {
    this.#broken = true;
  }

  number(size: 1 | 2): number {
    const start = this.#at;
    return this.skip(size) ? this.#bytes.readUIntBE(start, size) : 0;
  }

  /** A block behind its length. */
  block(lengthSize: 1 | 2): Buffer {
    const length = this.number(lengthSize);
    const start = this.#at;
    return this.skip(length) ? this.#bytes.subarray(start, start + length) : Buffer.alloc(0);
  }

  skip(count: number): boolean {
    if (this.#broken || this.#at + count > this.#bytes.length) this.#broken = true;
    else this.#at += count;
    return !this.#broken;
  }
}
