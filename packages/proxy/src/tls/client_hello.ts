import { type ClientHello, readHelloBody } from './hello_body.ts';

export type { ClientHello } from './hello_body.ts';

export type HelloReading =
  /** There is nothing to be learned before so many bytes are there. */
  | { readonly kind: 'more'; readonly atLeastBytes: number }
  | { readonly kind: 'hello'; readonly hello: ClientHello }
  /** It is not TLS at all: an answer would not be understood. */
  | { readonly kind: 'stranger'; readonly detail: string }
  /** TLS, but against its rules. */
  | { readonly kind: 'bad'; readonly detail: string };

/** RFC 8446, 5.1: a record is its type, two bytes of version, two of length, and what it holds. */
const RECORD_HEADER_BYTES = 5;
const HANDSHAKE_RECORD = 22;
const MAX_RECORD_BYTES = 16_384;
/** RFC 8446, 4: a handshake message is its type, three bytes of length, and its body. */
const MESSAGE_HEADER_BYTES = 4;
const CLIENT_HELLO = 1;

/**
 * With all headers. Real ones have some 300 bytes to 2 KiB; a ticket that holds a client's certificate adds up to 4. Nobody
 * has to look at more bytes before there is an answer other than `more`.
 */
export const MAX_HELLO_BYTES = 32_768;
/** So often it is begun anew at most, for a client that sends its records one by one. */
const MAX_RECORDS = 64;

/**
 * Reads the ClientHello at the beginning of a stream. Asked again with all bytes so far, it gives the same answer as if
 * they had come at once. The message may be spread over records in any way (RFC 8446, 5.1); what is behind it is not
 * looked at.
 */
export function readClientHello(bytes: Buffer): HelloReading {
  let message: Buffer = Buffer.alloc(0);
  for (let at = 0, records = 0; ; records += 1) {
    if (records === MAX_RECORDS) return bad('the ClientHello is spread over too many records');
    const end = recordEnd(bytes, at);
    if (typeof end !== 'number') return end;
    message = Buffer.concat([message, bytes.subarray(at + RECORD_HEADER_BYTES, end)]);
    const reading = readMessage(message);
    if (reading !== null) return reading;
    at = end;
  }
}

/** Where the handshake record ends that begins at `at` and is whole; else what is to be said. */
function recordEnd(bytes: Buffer, at: number): number | HelloReading {
  const fault = recordFault(bytes, at);
  if (fault !== null) return fault;
  if (bytes.length < at + RECORD_HEADER_BYTES) return { kind: 'more', atLeastBytes: at + RECORD_HEADER_BYTES };
  const end = at + RECORD_HEADER_BYTES + bytes.readUInt16BE(at + 3);
  if (end > MAX_HELLO_BYTES) return bad('the ClientHello is longer than 32 KiB');
  return bytes.length < end ? { kind: 'more', atLeastBytes: end } : end;
}

/** What is wrong with the header of a record, as far as it is there. */
function recordFault(bytes: Buffer, at: number): HelloReading | null {
  const [type = HANDSHAKE_RECORD, major = 3, minor = 0] = bytes.subarray(at, at + 3);
  if (type !== HANDSHAKE_RECORD)
    return at === 0 ? stranger(bytes) : bad('a record that is no handshake is in the ClientHello');
  // The version of a record says little (RFC 8446, 5.1), but it is 3.x in every TLS.
  if (major !== 3 || minor > 4) return bad('a record has a version that no TLS has');
  if (bytes.length < at + RECORD_HEADER_BYTES) return null;
  const length = bytes.readUInt16BE(at + 3);
  if (length === 0) return bad('a record of the handshake is empty');
  return length > MAX_RECORD_BYTES ? bad('a record is longer than 16 KiB') : null;
}

/** What the bytes of the whole records so far say; null while the message goes on. */
function readMessage(message: Buffer): HelloReading | null {
  if (message[0] !== CLIENT_HELLO) return bad('the handshake begins with no ClientHello');
  if (message.length < MESSAGE_HEADER_BYTES) return null;
  const end = MESSAGE_HEADER_BYTES + message.readUIntBE(1, 3);
  if (end > MAX_HELLO_BYTES) return bad('the ClientHello is longer than 32 KiB');
  if (message.length < end) return null;
  const read = readHelloBody(message.subarray(MESSAGE_HEADER_BYTES, end));
  return typeof read === 'string' ? bad(read) : { kind: 'hello', hello: read };
}

function stranger(bytes: Buffer): HelloReading {
  const [first = 0] = bytes;
  if (first === 0x10) return { kind: 'stranger', detail: 'an MQTT CONNECT without TLS' };
  if (/^[A-Z]{3,7} /.test(bytes.toString('latin1', 0, 8)))
    return { kind: 'stranger', detail: 'an HTTP request without TLS' };
  return { kind: 'stranger', detail: `first byte 0x${first.toString(16).padStart(2, '0')}` };
}

function bad(detail: string): HelloReading {
  return { kind: 'bad', detail };
}
