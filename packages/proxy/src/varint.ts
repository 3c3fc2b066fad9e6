/** A variable byte integer (3.1.1, 2.2.3; 5.0, 1.5.5): where it ends, and whether fewer bytes would have said it. */
export type VarInt =
  | { readonly kind: 'value'; readonly value: number; readonly end: number; readonly isOverlong: boolean }
  /** Cut: its last byte so far says that more follow. */
  | { readonly kind: 'more' }
  /** A fifth byte. */
  | { readonly kind: 'bad' };

/** Reads the integer that begins at `at`. */
export function readVarInt(bytes: Buffer, at: number): VarInt {
  let value = 0;
  for (let count = 0; count < 4; count += 1) {
    const byte = bytes[at + count];
    if (byte === undefined) return { kind: 'more' };
    value += (byte & 0x7f) * 128 ** count;
    if (byte < 0x80) return { kind: 'value', value, end: at + count + 1, isOverlong: count > 0 && byte === 0 };
  }
  return { kind: 'bad' };
}
