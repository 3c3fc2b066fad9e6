/** What a terminal may act on, what ends a line, and what turns the reading direction. */
const UNSAFE = /[\p{C}\p{Zl}\p{Zp}\\]/gu;

/**
 * A client's text (id, user name, key) in one line: printable characters as they are, others as `\xHH`, byte by byte of
 * their UTF-8; a backslash is doubled, so that nobody can write such an escape himself.
 */
export function escaped(text: string): string {
  return text.replace(UNSAFE, character => (character === '\\' ? '\\\\' : bytesOf(character)));
}

function bytesOf(character: string): string {
  return [...Buffer.from(character, 'utf8')].map(byte => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
}
