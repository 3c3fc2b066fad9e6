/** A program with a terminal of its own, for tests that look at its screen and press its keys. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { until } from '../../../kit/condition.ts';

const run = promisify(execFile);
let opened = 0;

export interface Screen extends AsyncDisposable {
  /** What is on it now. */
  look(): Promise<string>;
  /** tmux's names of keys: `Down`, `F10`, `q`. */
  press(...keys: readonly string[]): Promise<void>;
  waitFor(pattern: RegExp): Promise<string>;
}

/** Disposing of it ends the program and its terminal. */
export async function openScreen(command: string): Promise<Screen> {
  opened += 1;
  const name = `limpet-test-${process.pid}-${opened}`;
  const tmux = async (...args: string[]): Promise<string> =>
    (await run('tmux', ['-L', name, '-f', '/dev/null', ...args])).stdout;
  await tmux('new-session', '-d', '-x', '110', '-y', '30', command);
  let seen = '';
  const look = async (): Promise<string> => {
    seen = await tmux('capture-pane', '-p');
    return seen;
  };
  return {
    look,
    press: async (...keys) => {
      await tmux('send-keys', ...keys);
    },
    waitFor: pattern =>
      until(async () => pattern.test(await look()) && seen, { what: `${pattern} on the screen`, seen: () => seen }),
    [Symbol.asyncDispose]: async () => {
      // It may have ended with its program.
      await tmux('kill-server').catch(() => '');
    },
  };
}
