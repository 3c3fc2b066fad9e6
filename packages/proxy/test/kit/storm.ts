/**
 * Thousands of light clients that come at the same moment, in a process of their own: what they cost must not delay
 * those who measure.
 */
import { fileURLToPath } from 'node:url';
import { type Process, startProcess } from './process.ts';

const child = fileURLToPath(new URL('storm_child.ts', import.meta.url));

/** A client's end: every second one speaks 5.0, the others 3.1.1. */
export interface StormArrival {
  readonly version: 4 | 5;
  readonly outcome: string;
  readonly waitMs: number;
}

/** Ready to break loose. Disposing of it ends all its clients. */
export async function prepareStorm(port: number, count: number, prefix = 'storm'): Promise<Storm> {
  const process_ = startProcess(process.execPath, ['--import', 'tsx', child, String(port), String(count), prefix], {
    env: { NODE_OPTIONS: '' },
  });
  try {
    await process_.waitForLine(/^ready$/, 30_000);
    return new Storm(process_);
  } catch (error) {
    await process_[Symbol.asyncDispose]();
    throw error;
  }
}

export class Storm implements AsyncDisposable {
  readonly #process: Process;

  constructor(process: Process) {
    this.#process = process;
  }

  /** All connect at once. */
  breakLoose(): void {
    this.#process.signal('SIGUSR2');
  }

  /** How it ended for each, as soon as it has for all; those who are in stay. */
  async arrivals(timeoutMs: number): Promise<StormArrival[]> {
    const [, json = '[]'] = await this.#process.waitForLine(/^arrivals (.*)$/, timeoutMs);
    return JSON.parse(json) as StormArrival[];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }
}
