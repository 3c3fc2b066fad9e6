import { byteEscape, withoutUnsafe } from '../../unsafe_text.ts';

/**
 * A client's text (id, user name, key) in one line: printable characters as they are, others as `\xHH`, byte by byte of
 * their UTF-8; a backslash is doubled, so that nobody can write such an escape himself.
 */
export function escaped(text: string): string {
  return withoutUnsafe(text.replaceAll('\\', '\\\\'), byteEscape);
}
