import { execFile } from 'node:child_process';
import type { Word } from '../pair/state.ts';

/** A program and its arguments; nothing of it is read as shell. */
export type Hook = readonly [program: string, ...args: string[]];

export interface HookSet {
  readonly onActive: Hook | null;
  readonly onStandby: Hook | null;
  readonly onFault: Hook | null;
  readonly timeoutMs: number;
}

/** What a hook finds in its environment, behind `LIMPET_VIP_`. */
export type HookFacts = Readonly<Record<'NAME' | 'ADDRESSES' | 'INTERFACE' | 'FENCE' | 'STATE', string>>;

export interface HookResult {
  readonly ok: boolean;
  /** How it ended, and the end of what it printed. */
  readonly text: string;
}

const longestText = 300;

/** The hook for a word; null: none is wanted. */
export function hookFor(hooks: HookSet, word: Word): Hook | null {
  return { MASTER: hooks.onActive, BACKUP: hooks.onStandby, FAULT: hooks.onFault }[word];
}

/** Runs hooks one after the other; of those that wait, only the last one is still worth running. */
export class HookRunner {
  readonly #timeoutMs: number;
  #running: Promise<unknown> = Promise.resolve();
  #newest = 0;

  constructor({ timeoutMs }: HookSet) {
    this.#timeoutMs = timeoutMs;
  }

  /** Null: a newer one has made it needless. */
  run(hook: Hook, facts: HookFacts): Promise<HookResult | null> {
    this.#newest += 1;
    const number = this.#newest;
    const result = this.#running.then(() => (number === this.#newest ? this.#start(hook, facts) : null));
    this.#running = result;
    return result;
  }

  /** Until what runs has ended; no longer than the timeout of one hook. */
  async idle(): Promise<void> {
    await this.#running;
  }

  #start([program, ...args]: Hook, facts: HookFacts): Promise<HookResult> {
    const own = Object.entries(facts).map(([name, value]) => [`LIMPET_VIP_${name}`, value]);
    const env = { ...process.env, ...Object.fromEntries(own) };
    const options = { env, timeout: this.#timeoutMs, killSignal: 'SIGKILL', maxBuffer: 65_536 } as const;
    return new Promise(resolve => {
      execFile(program, args, options, (error, stdout, stderr) => {
        const said = `${stdout}${stderr}`.trim().slice(-longestText);
        if (error === null) resolve({ ok: true, text: said });
        else if (error.killed === true) resolve({ ok: false, text: `it took longer than ${this.#timeoutMs} ms` });
        else resolve({ ok: false, text: `it ended with ${error.code ?? error.signal ?? error.message}: ${said}` });
      });
    });
  }
}
