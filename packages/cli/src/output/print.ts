import { escaped } from '@limpet/proxy';

/** What JSON leaves as it is, and terminals act on, turn around or do not show. */
const UNSAFE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** Any text of a client's or of the proxy's, on one line: what does not print is `\xHH`. */
export function printable(text: string): string {
  return escaped(text);
}

/** A text that has its own quotes and backslashes, on one line: what does not print is `\xHH`. */
export function shown(text: string): string {
  return text.replace(UNSAFE, byteEscape);
}

/** JSON for programs, indented by two, and as harmless on a terminal as everything else. */
export function jsonText(value: unknown): string {
  const lines = JSON.stringify(value, null, 2).split('\n');
  return lines.map(line => line.replace(UNSAFE, unicodeEscape)).join('\n');
}

function unicodeEscape(sign: string): string {
  return Array.from({ length: sign.length }, (_, at) => `\\u${sign.charCodeAt(at).toString(16).padStart(4, '0')}`).join(
    '',
  );
}

export function printJson(value: unknown): void {
  console.log(jsonText(value));
}

export function printLines(lines: readonly string[]): void {
  if (lines.length > 0) console.log(lines.join('\n'));
}

/** Writes chunks as fast as they are taken. False: the reader has left (`… | head -1`), which is no error. */
export async function pour(chunks: AsyncIterable<Buffer | string>, to: NodeJS.WritableStream): Promise<boolean> {
  for await (const chunk of chunks) {
    if (!(await written(chunk, to))) return false;
  }
  return true;
}

function written(chunk: Buffer | string, to: NodeJS.WritableStream): Promise<boolean> {
  return new Promise(resolve => {
    to.write(chunk, error => resolve(error == null));
  });
}

/** Text for a terminal whose lines stay lines; what could act on it is escaped. Piped output is left as it is. */
export async function* harmless(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const clean = (text: string): string => text.replace(/[^\n\t]+/g, part => part.replace(UNSAFE, byteEscape));
  for await (const chunk of chunks) yield clean(decoder.decode(chunk, { stream: true }));
  yield clean(decoder.decode());
}

function byteEscape(sign: string): string {
  return [...Buffer.from(sign, 'utf8')].map(byte => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
}
