/** Castagnoli's polynomial, reflected (RFC 4960, appendix B). */
const POLYNOMIAL = 0x82f63b78;
const TABLE: Uint32Array = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
  return value;
});

/** CRC-32C of all chunks one after the other, as an unsigned number. (`zlib.crc32` is the other polynomial.) */
export function crc32c(...chunks: readonly Uint8Array[]): number {
  let crc = ~0;
  for (const chunk of chunks) {
    for (const byte of chunk) crc = (crc >>> 8) ^ (TABLE[(crc ^ byte) & 0xff] ?? 0);
  }
  return ~crc >>> 0;
}
