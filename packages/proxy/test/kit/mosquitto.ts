/**
 * A real mosquitto that remembers who came.
 */
import { type Directory, makeDirectory } from './directory.ts';
import { startOnFreePort, startOnPort } from './port.ts';
import { type Line, type Process, startProcess } from './process.ts';

export interface MosquittoOptions {
  /** Default: any free one of 127.0.0.1. */
  readonly port?: number;
  /** Whether sessions survive a restart. Default false. */
  readonly persistence?: boolean;
  /** Lines for the end of mosquitto.conf. */
  readonly config?: readonly string[];
}

/** An accepted CONNECT, as mosquitto logged it. */
export interface BrokerConnection {
  readonly clientId: string;
  /** `Date.now()` when the line was read. */
  readonly atMs: number;
  readonly address: string;
  readonly port: number;
  /** 1 = MQTT 3.1, 2 = 3.1.1, 5 = 5.0. */
  readonly protocol: number;
  readonly clean: boolean;
  readonly keepAliveS: number;
}

const connected = /New client connected from (\S+):(\d+) as (.*) \(p(\d+), c(\d), k(\d+)/;

export async function startMosquitto(options: MosquittoOptions = {}): Promise<Mosquitto> {
  const directory = await makeDirectory('mosquitto');
  try {
    const start = (port: number) => launch(directory, port, options);
    if (options.port === undefined) {
      const { process, port } = await startOnFreePort(start, ready);
      return new Mosquitto(directory, options, process, port);
    }
    return new Mosquitto(directory, options, await startOnPort(options.port, start, ready), options.port);
  } catch (error) {
    await directory[Symbol.asyncDispose]();
    throw error;
  }
}

function launch(directory: Directory, port: number, options: MosquittoOptions): Process {
  return startProcess('mosquitto', ['-c', directory.write('mosquitto.conf', configuration(directory, port, options))]);
}

function configuration(directory: Directory, port: number, options: MosquittoOptions): string {
  const persistence = options.persistence
    ? ['persistence true', `persistence_location ${directory.path}/`]
    : ['persistence false'];
  const lines = [
    // Otherwise, started by root, it becomes another user: which cannot write here, and forgets to die with us.
    'user root',
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    'log_dest stderr',
    'log_type all',
    'connection_messages true',
    'sys_interval 0',
    ...persistence,
    ...(options.config ?? []),
  ];
  return `${lines.join('\n')}\n`;
}

function ready(process: Process): Promise<unknown> {
  return process.waitForLine(/mosquitto version \S+ running/);
}

/** Disposing of it ends it and removes its folder. */
export class Mosquitto implements AsyncDisposable {
  readonly port: number;
  readonly #directory: Directory;
  readonly #options: MosquittoOptions;
  #process: Process;
  /** What was accepted so far, and how many of the process's lines that comes from: a log may be asked very often. */
  readonly #accepted: BrokerConnection[] = [];
  #read = 0;

  constructor(directory: Directory, options: MosquittoOptions, process: Process, port: number) {
    this.#directory = directory;
    this.#options = options;
    this.#process = process;
    this.port = port;
  }

  /** The process that runs now. */
  get process(): Process {
    return this.#process;
  }

  /** Every CONNECT that was accepted, oldest first, over restarts too. */
  connections(): readonly BrokerConnection[] {
    for (const line of this.#process.lines.slice(this.#read)) {
      const connection = acceptedIn(line);
      if (connection !== null) this.#accepted.push(connection);
      this.#read += 1;
    }
    return this.#accepted;
  }

  /** Resolves when a client of that id has been accepted (at least `times` times). */
  async waitForClient(clientId: string, times = 1): Promise<void> {
    const count = () => this.connections().filter(connection => connection.clientId === clientId).length;
    await this.#process.waitUntil(`client ${clientId}, ${times} times`, () => count() >= times);
  }

  async kill9(): Promise<void> {
    await this.#process.kill('SIGKILL');
  }

  freeze(): void {
    this.#process.freeze();
  }

  thaw(): void {
    this.#process.thaw();
  }

  /** Ends it if it still runs (SIGTERM, so that it saves its sessions), and starts it again on the same port. */
  async restart(): Promise<void> {
    if (this.#process.exit === null) await this.#process[Symbol.asyncDispose]();
    this.connections();
    this.#process = await startOnPort(this.port, port => launch(this.#directory, port, this.#options), ready);
    this.#read = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
    await this.#directory[Symbol.asyncDispose]();
  }
}

function acceptedIn(line: Line): BrokerConnection | null {
  const match = connected.exec(line.text);
  if (match === null) return null;
  const [, address = '', port, clientId = '', protocol, clean, keepAliveS] = match;
  return {
    clientId,
    atMs: line.atMs,
    address,
    port: Number(port),
    protocol: Number(protocol),
    clean: clean === '1',
    keepAliveS: Number(keepAliveS),
  };
}
