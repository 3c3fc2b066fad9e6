import type { Refusal } from './refusal.ts';

const PROXY_V1 = Buffer.from('PROXY ');
/** PROXY protocol, section 2.2. */
const PROXY_V2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const HTTP_METHODS = ['GET ', 'HEAD ', 'POST ', 'PUT ', 'DELETE ', 'OPTIONS ', 'PATCH ', 'CONNECT ', 'TRACE ', 'PRI '];
const PACKETS: readonly string[] = [
  'reserved',
  'CONNECT',
  'CONNACK',
  'PUBLISH',
  'PUBACK',
  'PUBREC',
  'PUBREL',
  'PUBCOMP',
  'SUBSCRIBE',
  'SUBACK',
  'UNSUBSCRIBE',
  'UNSUBACK',
  'PINGREQ',
  'PINGRESP',
  'DISCONNECT',
  'AUTH',
];

/**
 * Names what a stream is that does not begin with a CONNECT (0x10), from as much of it as is there. All of these are
 * closed without an answer: the first packet must be CONNECT [MQTT-3.1.0-1], and whoever speaks something else would
 * not understand a CONNACK.
 */
export function refuseStranger(bytes: Buffer): Refusal {
  const first = bytes[0] ?? 0;
  const hex = `0x${first.toString(16).padStart(2, '0')}`;
  if (first === 0x16) return silent('tls_on_plain_port', 'a TLS handshake, on a bind without tls');
  if (begins(bytes, PROXY_V1)) return silent('proxy_header', 'a PROXY protocol v1 header, which is not expected here');
  if (begins(bytes, PROXY_V2)) return silent('proxy_header', 'a PROXY protocol v2 header, which is not expected here');
  const method = HTTP_METHODS.find(word => begins(bytes, Buffer.from(word)));
  if (method !== undefined) return silent('http', `an HTTP ${method.trim()} request`);
  if (first >> 4 === 1) return silent('malformed', `CONNECT with reserved flags in its first byte, ${hex}`);
  if (isPacketStart(first)) return silent('other_packet', `begins with ${PACKETS[first >> 4]} instead of CONNECT`);
  return silent('not_mqtt', `first byte ${hex}`);
}

/** Type and flags as table 2.2 of the specification (both versions) has them; any flags for PUBLISH. */
function isPacketStart(first: number): boolean {
  const type = first >> 4;
  const flags = first & 0x0f;
  if (type === 3) return true;
  const isTwo = type === 6 || type === 8 || type === 10;
  return type >= 2 && flags === (isTwo ? 2 : 0);
}

/** Whether the bytes begin with the word; of a signature, what came must be enough to tell it from text: four bytes. */
function begins(bytes: Buffer, word: Buffer): boolean {
  const length = Math.min(bytes.length, word.length);
  return length >= Math.min(4, word.length) && bytes.compare(word, 0, length, 0, length) === 0;
}

function silent(reason: Refusal['reason'], detail: string): Refusal {
  return { reason, detail, answer: null };
}
