/**
 * A real redis-server of a test's own: empty, without files, on a unix socket in a directory of its own. Disposing of it
 * ends it and removes the directory.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';

export class RedisServer implements AsyncDisposable {
  readonly directory: string;
  #process: ChildProcess | null = null;
  #admin: Redis | null = null;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async start(): Promise<RedisServer> {
    const server = new RedisServer(await mkdtemp(join(tmpdir(), 'limpet-redis-')));
    await server.start();
    return server;
  }

  get socketPath(): string {
    return join(this.directory, 'redis.sock');
  }

  get url(): string {
    return `unix://${this.socketPath}`;
  }

  /** A client for the test itself, past everything that is tested. */
  get admin(): Redis {
    if (!this.#admin) {
      this.#admin = new Redis({ path: this.socketPath, disableClientInfo: true, retryStrategy: () => 20 });
      this.#admin.on('error', () => undefined);
    }
    return this.#admin;
  }

  /** Starts it (again), and resolves when it listens; it may still be loading. */
  async start(...options: string[]): Promise<void> {
    const fixed = ['--port', '0', '--unixsocket', this.socketPath, '--dir', this.directory, '--save', ''];
    const child = spawn('redis-server', [...fixed, ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    let said = '';
    const listening = new Promise<void>((resolve, reject) => {
      const listen = (chunk: Buffer): void => {
        said += chunk.toString();
        if (said.includes('server is now ready to accept connections at')) resolve();
        if (said.includes('Server initialized')) resolve();
      };
      child.stdout.on('data', listen);
      child.stderr.on('data', listen);
      child.once('error', reject);
      child.once('exit', code => reject(new Error(`redis-server ended with ${code}: ${said.slice(-500)}`)));
    });
    await listening;
  }

  /** SIGKILL: its data are gone. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  freeze(): void {
    this.#process?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process?.kill('SIGCONT');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#admin?.disconnect();
    await this.kill();
    await rm(this.directory, { recursive: true, force: true });
  }
}
