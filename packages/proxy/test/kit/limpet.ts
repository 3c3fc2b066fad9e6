/**
 * Limpet as its user runs it: the built program, a file of configuration, signals, and its log.
 */
import { fileURLToPath } from 'node:url';
import { until } from './condition.ts';
import { type Directory, makeDirectory } from './directory.ts';
import { childrenOf, isAlive } from './proc.ts';
import { type Exit, type Process, startProcess } from './process.ts';
import { withRelay } from './relay_kind.ts';

/** One line of the JSON log. */
export interface LogEvent {
  readonly event?: string;
  readonly [field: string]: unknown;
}

export interface LimpetOptions {
  /** Further arguments of `limpet run`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** A program, with its arguments, that starts Limpet's in its place: `['prlimit', '--nofile=148']`. */
  readonly before?: readonly string[];
  /** The file of the program. Default: the one that was built here. */
  readonly program?: string;
  /** Default 20 s. */
  readonly readyMs?: number;
}

const bin = fileURLToPath(new URL('../../../cli/dist/bin.js', import.meta.url));

/** Runs `limpet ARGS`; for commands that end by themselves, and starts that fail. */
export function runLimpet(
  args: readonly string[],
  options: Pick<LimpetOptions, 'before' | 'env' | 'program'> = {},
): Process {
  const words = [...(options.before ?? []), process.execPath, options.program ?? bin, ...args];
  const [command = '', ...rest] = words;
  // NODE_OPTIONS of the test runner are not the user's.
  return startProcess(command, rest, { env: { NODE_OPTIONS: '', ...options.env } });
}

/**
 * Starts `limpet run -c FILE` and waits until all workers are ready. The configuration is YAML, or an object that is
 * written as such. It must log as JSON (the default).
 */
export async function startLimpet(config: string | object, options: LimpetOptions = {}): Promise<Limpet> {
  const directory = await makeDirectory('limpet');
  const file = directory.write('limpet.yaml', asYaml(config));
  const limpet = new Limpet(directory, file, runLimpet(['run', '-c', file, ...(options.args ?? [])], options));
  try {
    await limpet.waitForEvent(event => event.event === 'ready', 'event "ready"', options.readyMs ?? 20_000);
    return limpet;
  } catch (error) {
    await limpet[Symbol.asyncDispose]();
    throw error;
  }
}

/** Disposing of it ends it at once, and throws if a process of its is left behind. */
export class Limpet implements AsyncDisposable {
  /** The primary. */
  readonly process: Process;
  /** The file of configuration. */
  readonly file: string;
  readonly #directory: Directory;
  readonly #events: LogEvent[] = [];
  readonly #seenWorkers = new Set<number>();
  #read = 0;

  constructor(directory: Directory, file: string, process: Process) {
    this.#directory = directory;
    this.file = file;
    this.process = process;
  }

  /** The port of a frontend's bind, in the order of the configuration, from 0. */
  port(frontend: string, bind = 0): number {
    const listening = this.events(event => event.event === 'listening' && event.frontend === frontend);
    // A set: two binds may be written alike, and one bind may be told of again.
    const port = [...new Set(listening.map(event => event.port))][bind];
    if (typeof port !== 'number') throw new Error(`bind ${bind} of frontend ${frontend} does not listen`);
    return port;
  }

  /** The lines of its log that are JSON and match, oldest first. */
  events(matches: (event: LogEvent) => boolean = () => true): LogEvent[] {
    for (const line of this.process.lines.slice(this.#read)) {
      const event = asEvent(line.text);
      if (event !== null) this.#events.push(event);
      this.#read += 1;
    }
    return this.#events.filter(matches);
  }

  /** The first event that matches, logged already or still to come. */
  async waitForEvent(matches: (event: LogEvent) => boolean, what: string, timeoutMs = 10_000): Promise<LogEvent> {
    return this.process.waitUntil(what, () => this.events(matches)[0], timeoutMs);
  }

  /** Process ids of the workers that run now. */
  workers(): number[] {
    const pids = childrenOf(this.process.pid);
    for (const pid of pids) this.#seenWorkers.add(pid);
    return pids;
  }

  /** Replaces the file's content; the program is not told. */
  writeConfig(config: string | object): void {
    this.#directory.write('limpet.yaml', asYaml(config));
  }

  /** SIGTERM: sessions may end in peace. Resolves when the program and all its workers are gone. */
  async stop(timeoutMs = 40_000): Promise<Exit> {
    this.workers();
    const exit = await this.process.kill('SIGTERM', timeoutMs);
    await this.#noWorkerLeft();
    return exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.workers();
    if (this.process.exit === null) {
      // The second signal means: now.
      this.process.signal('SIGTERM');
      this.process.signal('SIGINT');
    }
    await this.process[Symbol.asyncDispose]();
    await this.#directory[Symbol.asyncDispose]();
    await this.#noWorkerLeft();
  }

  async #noWorkerLeft(): Promise<void> {
    const left = (): number[] => [...this.#seenWorkers].filter(isAlive);
    try {
      await until(() => left().length === 0, { what: 'the end of the workers of a Limpet that has ended' });
    } catch (error) {
      for (const pid of left()) process.kill(pid, 'SIGKILL');
      throw error;
    }
  }
}

function asYaml(given: string | object): string {
  const config = withRelay(given);
  return typeof config === 'string' ? config : JSON.stringify(config, null, 2);
}

function asEvent(line: string): LogEvent | null {
  if (!line.startsWith('{')) return null;
  try {
    return JSON.parse(line) as LogEvent;
  } catch {
    return null;
  }
}
