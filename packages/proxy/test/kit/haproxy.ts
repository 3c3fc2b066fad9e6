/**
 * A real HAProxy: as a receiver of PROXY headers that nobody here wrote, and as the model to compare with.
 */
import { type Directory, makeDirectory } from './directory.ts';
import { startOnFreePort } from './port.ts';
import { type Process, startProcess } from './process.ts';
import { askRuntime } from './runtime_api.ts';

/**
 * Starts HAProxy with a configuration made for a free port of 127.0.0.1. A `global` section with a log to its standard
 * output (`log global` in a proxy makes use of it) and a stats socket is put before it.
 */
export async function startHaproxy(configure: (port: number) => string): Promise<Haproxy> {
  const directory = await makeDirectory('haproxy');
  const socket = directory.file('haproxy.sock');
  const launch = (port: number) => {
    const global = `global\n  log stdout format raw local0\n  stats socket ${socket} mode 600 level admin\n`;
    const config = directory.write('haproxy.cfg', `${global}\n${configure(port)}\n`);
    return startProcess('haproxy', ['-db', '-f', config]);
  };
  try {
    // The socket answers when every port is bound; a connection to the port itself would be a line in its log.
    const ready = (process: Process) => process.waitUntil('a runtime API', () => answers(socket));
    const { process, port } = await startOnFreePort(launch, ready);
    return new Haproxy(directory, socket, process, port);
  } catch (error) {
    await directory[Symbol.asyncDispose]();
    throw error;
  }
}

/** Disposing of it ends it and removes its folder. */
export class Haproxy implements AsyncDisposable {
  readonly port: number;
  /** Its log is on its lines. */
  readonly process: Process;
  readonly #directory: Directory;
  readonly #socket: string;

  constructor(directory: Directory, socket: string, process: Process, port: number) {
    this.#directory = directory;
    this.#socket = socket;
    this.process = process;
    this.port = port;
  }

  /** The answer to a command of the runtime API, e.g. `show table mqtt`. */
  runtime(command: string): Promise<string> {
    return askRuntime(this.#socket, command);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process[Symbol.asyncDispose]();
    await this.#directory[Symbol.asyncDispose]();
  }
}

async function answers(path: string): Promise<boolean> {
  try {
    return (await askRuntime(path, 'show info')).includes('Pid:');
  } catch {
    return false;
  }
}
