/** A proxy that runs from its sources, whose paced tasks a test commands. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { DrainRequest, RebalanceRequest } from '../../src/admin/control.ts';
import type { TaskFacts } from '../../src/admin/snapshot.ts';
import { within } from './condition.ts';
import { type Directory, makeDirectory } from './directory.ts';

const child = fileURLToPath(new URL('operated_child.ts', import.meta.url));
const execArgv = ['--import', 'tsx', '--conditions=limpet-source'];

/** Resolves when all workers are ready. */
export async function startOperated(config: object): Promise<Operated> {
  const directory = await makeDirectory('operated');
  const file = directory.write('limpet.yaml', JSON.stringify(config));
  const stdio = ['ignore', 'pipe', 'pipe', 'ipc'] as const;
  const running = fork(child, [file], { execArgv, env: { ...process.env, NODE_OPTIONS: '' }, stdio: [...stdio] });
  const operated = new Operated(directory, running);
  try {
    await within(operated.ready, { what: 'a proxy that is ready', timeoutMs: 30_000 });
    return operated;
  } catch (error) {
    await operated[Symbol.asyncDispose]();
    throw error;
  }
}

/** Disposing of it ends it at once. */
export class Operated implements AsyncDisposable {
  readonly ready: Promise<void>;
  ports: readonly number[] = [];
  readonly #directory: Directory;
  readonly #child: ChildProcess;
  readonly #open = new Map<number, (answer: never) => void>();
  #calls = 0;
  #log = '';

  constructor(directory: Directory, running: ChildProcess) {
    this.#directory = directory;
    this.#child = running;
    const keep = (chunk: Buffer): void => {
      this.#log += chunk;
    };
    running.stdout?.on('data', keep);
    running.stderr?.on('data', keep);
    this.ready = new Promise((resolve, reject) => {
      this.#open.set(0, ports => {
        this.ports = ports;
        resolve();
      });
      running.once('exit', code => reject(new Error(`the proxy ended with ${code}: ${this.#log.slice(-2000)}`)));
    });
    running.on('message', ({ call, answer }: { readonly call: number; readonly answer: never }) => {
      this.#open.get(call)?.(answer);
      this.#open.delete(call);
    });
  }

  /** The log's events of that name. */
  events(name: string): Record<string, unknown>[] {
    const lines = this.#log.split('\n').filter(line => line.includes(`"event":"${name}"`));
    return lines.map(line => JSON.parse(line) as Record<string, unknown>);
  }

  drain(request: DrainRequest): Promise<TaskFacts> {
    return this.#ask('drain', request);
  }

  rebalance(request: RebalanceRequest): Promise<TaskFacts> {
    return this.#ask('rebalance', request);
  }

  tasks(): Promise<readonly TaskFacts[]> {
    return this.#ask('tasks', null);
  }

  /** How many the first task had asked to leave, every 10 ms while it ran, on the clock of the primary. */
  asked(): Promise<readonly (readonly [atMs: number, moved: number])[]> {
    return this.#ask('asked', null);
  }

  /** What the operators' words on the servers of `brokers` are, as the proxy knows them. */
  states(): Promise<Record<string, string>> {
    return this.#ask('states', 'brokers');
  }

  async #ask<Answer>(name: string, argument: unknown): Promise<Answer> {
    const call = ++this.#calls;
    const answer = new Promise<Answer>(resolve => this.#open.set(call, resolve));
    this.#child.send({ call, name, argument });
    return await within(answer, { what: `the answer to ${name}` });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exited = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await exited;
    }
    await this.#directory[Symbol.asyncDispose]();
  }
}
