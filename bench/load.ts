/**
 * The conductor's side of the C program in `load/`: it is told words, and answers lines of JSON.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { within } from '../packages/proxy/test/kit/condition.ts';
import { cpuUsOfTree } from './cpu.ts';
import { programOf } from './program.ts';

/** How clients speak; `tls-resumed` offers the newest ticket that any of them got. */
export type Transport = 'tcp' | 'websocket' | 'tls' | 'tls-resumed';

/** How many times something went wrong, by reason. */
export type Lost = Readonly<Record<string, number>>;

type Role = 'sink' | 'connect' | 'crowd';
type Answer = { readonly kind: string };

/** A running load or sink. Disposing of it ends it. */
export class LoadProgram implements AsyncDisposable {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: Interface;
  readonly #answers: Answer[] = [];
  readonly #role: Role;
  /** Those who wait for the next answer, or for its end. */
  #sleepers: (() => void)[] = [];
  #hasEnded = false;

  /** `limitS`: it ends by itself after so long. Options become `--name value`. */
  constructor(role: Role, options: Readonly<Record<string, string | number>>, limitS: number) {
    const pairs = Object.entries({ ...options, limit: Math.ceil(limitS) }).flatMap(([name, value]) => [
      `--${name}`,
      `${value}`,
    ]);
    this.#role = role;
    this.#child = spawn(programOf('load'), [role, ...pairs], { stdio: ['pipe', 'pipe', 'inherit'] });
    // It may have ended already; that is told by whoever waits for its next answer.
    this.#child.stdin.on('error', () => undefined);
    this.#lines = createInterface({ input: this.#child.stdout });
    this.#lines.on('line', line => {
      this.#answers.push(JSON.parse(line) as Answer);
      this.#wake();
    });
    this.#lines.once('close', () => {
      this.#hasEnded = true;
      this.#wake();
    });
  }

  say(words: string): void {
    this.#child.stdin.write(`${words}\n`);
  }

  /** Its next line, which must be of this kind. @throws Error when it has ended, or after `timeoutMs` */
  async answer<T>(kind: string, timeoutMs: number): Promise<T> {
    const answer = await within(this.#next(), { what: `"${kind}" of the load (${this.#role})`, timeoutMs });
    if (answer.kind !== kind) throw new Error(`the load (${this.#role}) said "${answer.kind}", not "${kind}"`);
    return answer as T;
  }

  /** CPU µs so far; what it used up to its last answer, once it has ended. */
  cpuUs(): number {
    return cpuUsOfTree(this.#child.pid ?? -1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    while (!this.#hasEnded) await this.#woken();
  }

  async #next(): Promise<Answer> {
    for (;;) {
      const answer = this.#answers.shift();
      if (answer !== undefined) return answer;
      if (this.#hasEnded) throw new Error(`the load (${this.#role}) has ended; its last words are above`);
      await this.#woken();
    }
  }

  #woken(): Promise<void> {
    return new Promise(resolve => {
      this.#sleepers.push(resolve);
    });
  }

  #wake(): void {
    for (const wake of this.#sleepers.splice(0)) wake();
  }
}

/** What was lost, in words for `Measure.lost`. */
export function lossesOf(lost: Lost): string[] {
  return Object.entries(lost).map(([reason, count]) => `${count} × ${reason}`);
}
