/**
 * A real redis-server, empty at its start, that can be killed, frozen and started again.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Redis, type RedisOptions } from 'ioredis';
import { type Directory, makeDirectory } from './directory.ts';
import { startOnFreePort, startOnPort } from './port.ts';
import { type Process, startProcess } from './process.ts';

const run = promisify(execFile);

export interface RedisServerOptions {
  /** Listens on a unix socket only. Default: on TCP. */
  readonly unixSocket?: boolean;
  /** Default: any free one of 127.0.0.1. */
  readonly port?: number;
  /** Further arguments of redis-server, e.g. `['--requirepass', 'secret']`. */
  readonly args?: readonly string[];
}

/** How replies are mapped is a type parameter of the client, which the kit leaves at its default. */
type ClientOptions = Omit<RedisOptions, 'replyMapping'>;

type Place = { readonly socket: string } | { readonly port: number };

export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const directory = await makeDirectory('redis');
  try {
    if (options.unixSocket) {
      const place = { socket: directory.file('redis.sock') };
      return new RedisServer(directory, options, place, await startAt(directory, place, options));
    }
    if (options.port !== undefined) {
      const place = { port: options.port };
      return new RedisServer(directory, options, place, await startAt(directory, place, options));
    }
    const { process, port } = await startOnFreePort(free => launch(directory, { port: free }, options), ready);
    return new RedisServer(directory, options, { port }, process);
  } catch (error) {
    await directory[Symbol.asyncDispose]();
    throw error;
  }
}

function launch(directory: Directory, place: Place, options: RedisServerOptions): Process {
  const where =
    'socket' in place
      ? ['--port', '0', '--unixsocket', place.socket]
      : ['--port', String(place.port), '--bind', '127.0.0.1'];
  const empty = ['--save', '', '--appendonly', 'no', '--dir', directory.path, '--daemonize', 'no'];
  return startProcess('redis-server', [...where, ...empty, ...(options.args ?? [])]);
}

function ready(process: Process): Promise<unknown> {
  return process.waitForLine(/ready to accept connections/i);
}

function startAt(directory: Directory, place: Place, options: RedisServerOptions): Promise<Process> {
  const port = 'port' in place ? place.port : 0;
  return startOnPort(port, () => launch(directory, place, options), ready);
}

/** Disposing of it ends it, its clients and its folder. */
export class RedisServer implements AsyncDisposable {
  /** `redis://127.0.0.1:PORT` or `unix://PATH`, without a password. */
  readonly url: string;
  readonly #directory: Directory;
  readonly #options: RedisServerOptions;
  readonly #place: Place;
  readonly #clients: Redis[] = [];
  #process: Process;

  constructor(directory: Directory, options: RedisServerOptions, place: Place, process: Process) {
    this.#directory = directory;
    this.#options = options;
    this.#place = place;
    this.#process = process;
    this.url = 'socket' in place ? `unix://${place.socket}` : `redis://127.0.0.1:${place.port}`;
  }

  /** The process that runs now. */
  get process(): Process {
    return this.#process;
  }

  /** What `redis-cli ARGS` prints, without the last line's end; a `password` goes by the environment. */
  async cli(args: readonly string[], password?: string): Promise<string> {
    const where = 'socket' in this.#place ? ['-s', this.#place.socket] : ['-p', String(this.#place.port)];
    const env = { ...process.env, ...(password === undefined ? {} : { REDISCLI_AUTH: password }) };
    const { stdout } = await run('redis-cli', [...where, ...args], { env, timeout: 10_000 });
    return stdout.trimEnd();
  }

  /** An ioredis client of the server; it is closed with the server, at the latest. */
  client(options: ClientOptions = {}): Redis {
    const where = 'socket' in this.#place ? { path: this.#place.socket } : { port: this.#place.port };
    const given: ClientOptions = { host: '127.0.0.1', ...where, maxRetriesPerRequest: 1, ...options };
    const client = new Redis(given);
    // A command that fails rejects; without a listener a lost connection would be printed besides.
    client.on('error', () => undefined);
    this.#clients.push(client);
    return client;
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

  /** Ends it if it still runs, and starts an empty one in its place. */
  async restart(): Promise<void> {
    if (this.#process.exit === null) await this.kill9();
    this.#process = await startAt(this.#directory, this.#place, this.#options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.disconnect();
    await this.#process[Symbol.asyncDispose]();
    await this.#directory[Symbol.asyncDispose]();
  }
}
