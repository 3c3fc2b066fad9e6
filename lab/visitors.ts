/**
 * The laboratory's side of `probe.ts`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onHost, virtualAddress } from './network.ts';
import type { ProbeBatch } from './probe.ts';

/** What must have come in the last second for the service to count as steady: half of the visitors, and just now one. */
const steadyWindowMs = 1_000;
const steadyCount = 100;
const freshMs = 150;
/** Real-time scheduling where that is allowed: what is measured is the service, and not the measurer's turn on the CPU. */
const inTime = 'chrt --rr 1 true 2>/dev/null && exec chrt --rr 1 "$@"; exec "$@"';

/** Disposing of it ends the probe. */
export class Visitors implements AsyncDisposable {
  /** Every CONNACK so far, milliseconds since the epoch. */
  readonly connacksMs: number[] = [];
  readonly failures: { readonly atMs: number; readonly why: string }[] = [];
  readonly #child: ChildProcess;

  constructor(port: number) {
    const file = fileURLToPath(new URL('probe.ts', import.meta.url));
    const node = [process.execPath, '--import', import.meta.resolve('tsx'), file, virtualAddress, String(port)];
    this.#child = spawn('sh', ['-c', inTime, 'probe', ...onHost('client'), ...node], {
      stdio: ['ignore', 'inherit', 'ignore', 'ipc'],
    });
    this.#child.on('message', message => {
      const batch = message as ProbeBatch;
      this.connacksMs.push(...batch.connacksMs);
      this.failures.push(...batch.failures);
    });
  }

  /** Whether visitors have been coming in for a second, counted from `sinceMs` at the earliest. */
  isSteady(sinceMs: number): boolean {
    if (this.#child.exitCode !== null) throw new Error(`the probe ended (exit code ${this.#child.exitCode})`);
    const nowMs = Date.now();
    const fromMs = nowMs - steadyWindowMs;
    if (sinceMs > fromMs) return false;
    const last = this.connacksMs.at(-1) ?? 0;
    return nowMs - last < freshMs && (this.connacksMs.at(-steadyCount) ?? 0) >= fromMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }
}
