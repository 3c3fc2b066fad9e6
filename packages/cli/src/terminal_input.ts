import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';

/** A line of the user's that is not shown; null: Ctrl-C or Ctrl-D. The prompt goes to stderr. */
export async function askHidden(prompt: string): Promise<string | null> {
  process.stderr.write(prompt);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  // As a terminal it reads key by key and echoes by itself: to nowhere.
  const terminal = createInterface({ input: process.stdin, output: nowhere, terminal: true, historySize: 0 });
  const gone = new AbortController();
  terminal.once('close', () => gone.abort());
  try {
    return await terminal.question('', { signal: gone.signal });
  } catch {
    return null;
  } finally {
    terminal.close();
    process.stderr.write('\n');
  }
}

/** All of stdin, without the end of its last line. */
export async function stdinText(): Promise<string> {
  return (await text(process.stdin)).replace(/\r?\n$/, '');
}
