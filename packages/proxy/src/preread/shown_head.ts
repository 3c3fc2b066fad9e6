/** Of what is no CONNECT: its type, and what is in the place of its length. */
const STRANGER_BYTES = 5;
/** The protocol names, with their length. */
const NAMES = [Buffer.from('\0\x04MQTT', 'latin1'), Buffer.from('\0\x06MQIsdp', 'latin1')];
/** Behind the name: level, flags, keep-alive. */
const LEVEL_BYTES = 4;
/** The name's length, and the first byte of the name. */
const NAME_BYTES = 3;

/** The longest head that is shown: fixed header, `MQIsdp` with its length, level, flags, keep-alive. */
export const MAX_SHOWN_BYTES = 17;

/**
 * The first bytes of a CONNECT that was refused, in hex, for an operator: fixed header, protocol name, level, flags,
 * keep-alive. Never a byte of what comes behind: client id, will, user name, password. Where the name is not MQTT's nobody
 * knows where these begin, so its first byte is the last that is shown.
 */
export function shownHead(bytes: Buffer): string {
  return bytes.toString('hex', 0, Math.min(shownBytes(bytes), MAX_SHOWN_BYTES));
}

function shownBytes(bytes: Buffer): number {
  if (bytes[0] !== 0x10) return STRANGER_BYTES;
  let headerBytes = 2;
  while (headerBytes < STRANGER_BYTES && (bytes[headerBytes - 1] ?? 0) >= 0x80) headerBytes += 1;
  const name = NAMES.find(one => bytes.subarray(headerBytes, headerBytes + one.length).equals(one));
  return headerBytes + (name === undefined ? NAME_BYTES : name.length + LEVEL_BYTES);
}
