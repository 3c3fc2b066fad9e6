/** A redis-server on a TCP port of 127.0.0.1, for servers that must find each other. Disposing of it ends it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { Redis } from 'ioredis';
import { adminOptions, type Security } from './redis_secure.ts';

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const attempts = 5;

export class RedisProcess implements AsyncDisposable {
  readonly port: number;
  readonly #args: readonly string[];
  readonly #security: Security | undefined;
  #child: ChildProcess | null = null;
  #admin: Redis | null = null;

  private constructor(port: number, args: readonly string[], security: Security | undefined) {
    this.port = port;
    this.#args = args;
    this.#security = security;
  }

  /** Starts one; a port that somebody took in between is tried no more. `args`: of redis-server, for a port. */
  static async start(args: (port: number) => Promise<readonly string[]>, security?: Security): Promise<RedisProcess> {
    for (let attempt = 1; ; attempt++) {
      const port = await freePort();
      const server = new RedisProcess(port, await args(port), security);
      try {
        await server.restart();
        return server;
      } catch (error) {
        await server.kill();
        if (attempt === attempts) throw error;
      }
    }
  }

  get place(): string {
    return `127.0.0.1:${this.port}`;
  }

  get isRunning(): boolean {
    return this.#child !== null;
  }

  /** A client for the test itself. */
  get admin(): Redis {
    if (!this.#admin) {
      const place = { host: '127.0.0.1', port: this.port, ...adminOptions(this.#security) };
      this.#admin = new Redis({ ...place, disableClientInfo: true, retryStrategy: () => 20 });
      this.#admin.on('error', () => undefined);
    }
    return this.#admin;
  }

  /** Starts it on its port (again). */
  async restart(): Promise<void> {
    const child = spawn('redis-server', this.#args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    let said = '';
    await new Promise<void>((resolve, reject) => {
      const listen = (chunk: Buffer): void => {
        said = (said + chunk.toString()).slice(-4000);
        if (/ready to accept connections|Sentinel ID is/i.test(said)) resolve();
      };
      child.stdout.on('data', listen);
      child.stderr.on('data', listen);
      child.once('error', reject);
      child.once('exit', code => reject(new Error(`redis-server ended with ${code}: ${said.slice(-500)}`)));
    });
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#admin?.disconnect();
    await this.kill();
  }
}

/** Looks until it is so, for 20 s at most. */
export async function untilSo(what: string, isSo: () => Promise<boolean> | boolean): Promise<void> {
  const endMs = performance.now() + 20_000;
  while (!(await isSo())) {
    if (performance.now() > endMs) throw new Error(`waited 20 s in vain: ${what}`);
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}
