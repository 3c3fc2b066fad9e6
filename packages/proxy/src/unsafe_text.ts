/**
 * What no face shows as it is, one pattern for all: what a terminal acts on, what ends a line, what turns the reading
 * direction, and what is not seen at all (two ids that differ by it would look alike).
 */
const UNSAFE = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;
/** Nothing of it is in here, and most texts are of this kind. */
const PLAIN = /^[\x20-\x7e]*$/;

/** The text with each unsafe character (a whole code point, or half a surrogate pair) replaced. */
export function withoutUnsafe(text: string, escapeOf: (character: string) => string): string {
  return PLAIN.test(text) ? text : text.replace(UNSAFE, escapeOf);
}

/** `\xHH` for each byte of its UTF-8. */
export function byteEscape(character: string): string {
  return [...Buffer.from(character, 'utf8')].map(byte => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
}

/** `\uHHHH` for each unit of its UTF-16: inside a string of JSON it means the same character. */
export function unicodeEscape(character: string): string {
  let escaped = '';
  for (let i = 0; i < character.length; i++) escaped += `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`;
  return escaped;
}

/** A value as one line of JSON that is harmless on a terminal. */
export function safeJson(value: unknown): string {
  return withoutUnsafe(JSON.stringify(value), unicodeEscape);
}
