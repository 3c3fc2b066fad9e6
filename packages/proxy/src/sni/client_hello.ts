import { type Extensions, readBody } from './hello_body.ts';

/** What the first bytes of a client say, when they are TLS. */
export type ClientHelloAnswer =
  | { readonly kind: 'more' }
  | { readonly kind: 'hello'; readonly sni: string | null; readonly alpn: readonly string[] }
  | { readonly kind: 'bad'; readonly detail: string };

/** RFC 8446, 5.1: a record is its type, two bytes of version, two of length, and what it holds. */
const RECORD_HEADER = 5;
const HANDSHAKE = 22;
const MAX_RECORD = 2 ** 14;
/** RFC 8446, 4: a handshake message is its type, three bytes of length, and its body. */
const MESSAGE_HEADER = 4;
const CLIENT_HELLO = 1;

/** What one ClientHello may have. Browsers send some 2 KB with post-quantum keys; session tickets add to it. */
const MAX_MESSAGE = 16 * 1024;
/** Over how many records it may be spread. */
const MAX_RECORDS = 64;

/** The most that can be looked at before there is an answer other than `more`. */
export const MAX_CLIENT_HELLO_BYTES: number = MESSAGE_HEADER + MAX_MESSAGE + MAX_RECORDS * RECORD_HEADER;

const MORE: ClientHelloAnswer = { kind: 'more' };

function bad(detail: string): ClientHelloAnswer {
  return { kind: 'bad', detail };
}

/**
 * Reads the ClientHello at the head of a stream: the server name (RFC 6066, 3) in lower case, and the protocols of ALPN
 * (RFC 7301). Asked again with all bytes so far, it gives the same answer as if they had come at once. The message may be
 * spread over records in any way (RFC 8446, 5.1). Unknown and GREASE values are passed over (RFC 8701). What is behind
 * the message is not looked at. `bad` is told as soon as it is certain; its detail holds no byte of the client.
 */
export function readClientHello(bytes: Buffer): ClientHelloAnswer {
  const fragments: Buffer[] = [];
  let collected = 0;
  for (let at = 0, records = 0; at < bytes.length; records += 1) {
    const fault = recordFault(bytes, at);
    if (fault !== null) return bad(fault);
    if (records === MAX_RECORDS) return bad('the ClientHello is spread over too many records');
    if (bytes.length - at < RECORD_HEADER) return MORE;
    const end = at + RECORD_HEADER + bytes.readUInt16BE(at + 3);
    const fragment = bytes.subarray(at + RECORD_HEADER, end);
    fragments.push(fragment);
    collected += fragment.length;
    const answer = messageAnswer(fragments, collected);
    if (answer !== null) return answer;
    at = end;
  }
  return MORE;
}

/** What is wrong with the record that begins at `at`, as far as its bytes are there. */
function recordFault(bytes: Buffer, at: number): string | null {
  if (bytes[at] !== HANDSHAKE)
    return at === 0 ? 'this is not TLS' : 'a record that is no handshake is in the ClientHello';
  const [, major, minor = 0] = bytes.subarray(at, at + 3);
  // The version of a record says little (RFC 8446, 5.1), but it is 3.x in every TLS.
  if (major !== undefined && (major !== 3 || minor > 4)) return 'a record has a version that no TLS has';
  if (bytes.length - at < RECORD_HEADER) return null;
  const length = bytes.readUInt16BE(at + 3);
  if (length === 0) return 'a record of the handshake is empty';
  return length > MAX_RECORD ? 'a record is longer than 16 KiB' : null;
}

/** What the fragments so far say; null while they are not the whole message. */
function messageAnswer(fragments: readonly Buffer[], collected: number): ClientHelloAnswer | null {
  if (fragments[0]?.[0] !== undefined && fragments[0][0] !== CLIENT_HELLO)
    return bad('the handshake begins with no ClientHello');
  if (collected < MESSAGE_HEADER) return null;
  const head = joinHead(fragments);
  const length = head.readUIntBE(1, 3);
  if (length > MAX_MESSAGE) return bad('the ClientHello is longer than 16 KiB');
  if (collected < MESSAGE_HEADER + length) return null;
  const body = Buffer.concat(fragments).subarray(MESSAGE_HEADER, MESSAGE_HEADER + length);
  const read: Extensions | string = readBody(body);
  return typeof read === 'string' ? bad(read) : { kind: 'hello', ...read };
}

/** The message's header, which may be spread over fragments too. */
function joinHead(fragments: readonly Buffer[]): Buffer {
  const [first] = fragments;
  if (first !== undefined && first.length >= MESSAGE_HEADER) return first;
  return Buffer.concat(
    fragments.slice(0, MESSAGE_HEADER).map(fragment => fragment.subarray(0, MESSAGE_HEADER)),
    MESSAGE_HEADER,
  );
}
