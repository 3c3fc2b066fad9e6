/** A real Redis Cluster of 3 masters with a replica each: empty, without files that outlive it. Disposing of it ends all. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RedisTarget } from '../src/redis_target.ts';
import { freePort, RedisProcess, untilSo } from './redis_process.ts';
import { type Security, securityArgs } from './redis_secure.ts';

export interface ClusterOptions {
  /** After so long without an answer the others hold a server for dead. Default 500. */
  readonly nodeTimeoutMs?: number;
  /** TLS and users. */
  readonly security?: Security;
}

const mastersCount = 3;
const slots = 16_384;

export class RedisCluster implements AsyncDisposable {
  readonly servers: RedisProcess[];
  readonly #start: () => Promise<RedisProcess>;
  readonly #directory: string;

  private constructor(directory: string, servers: RedisProcess[], start: () => Promise<RedisProcess>) {
    this.#directory = directory;
    this.servers = servers;
    this.#start = start;
  }

  static async start({ nodeTimeoutMs = 500, security }: ClusterOptions = {}): Promise<RedisCluster> {
    const directory = await mkdtemp(join(tmpdir(), 'limpet-cluster-'));
    const start = (): Promise<RedisProcess> =>
      RedisProcess.start(
        async port => [
          ...['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', directory],
          ...['--cluster-enabled', 'yes', '--cluster-config-file', `${port}.conf`],
          ...['--cluster-port', String(await freePort()), '--cluster-node-timeout', String(nodeTimeoutMs)],
          // A cluster that serves what it can: what `docs/operations.md` advises.
          ...['--cluster-require-full-coverage', 'no', '--repl-diskless-sync-delay', '0'],
          ...(security === undefined ? [] : [...securityArgs(port, security), '--tls-cluster', 'yes']),
        ],
        security,
      );
    const servers = await Promise.all(Array.from({ length: mastersCount * 2 }, start));
    const cluster = new RedisCluster(directory, servers, start);
    try {
      await cluster.#join();
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  get target(): Extract<RedisTarget, { kind: 'cluster' }> {
    const nodes = this.servers.map(({ port }) => ({ host: '127.0.0.1', port }));
    return { kind: 'cluster', nodes, login: null, tls: null };
  }

  /** `host:port` of all, for a configuration. */
  get places(): readonly string[] {
    return this.servers.map(({ place }) => place);
  }

  /** The server that has a slot now, as most of the living ones say. */
  async masterOf(slot: number): Promise<RedisProcess> {
    for (const server of this.servers.filter(({ isRunning }) => isRunning)) {
      const ranges = (await server.admin.cluster('SLOTS')) as unknown as [number, number, [string, number]][];
      const range = ranges.find(([from, to]) => slot >= from && slot <= to);
      const found = this.servers.find(({ port }) => port === range?.[2][1]);
      if (found?.isRunning) return found;
    }
    throw new Error(`nobody has slot ${slot}`);
  }

  async masterOfKey(key: string): Promise<RedisProcess> {
    const asked = this.servers.find(({ isRunning }) => isRunning);
    return await this.masterOf((await asked?.admin.cluster('KEYSLOT', key)) ?? 0);
  }

  /** The masters now, in the order of their slots. */
  async masters(): Promise<readonly RedisProcess[]> {
    const width = Math.ceil(slots / mastersCount);
    return await Promise.all(Array.from({ length: mastersCount }, (_, i) => this.masterOf(i * width)));
  }

  /** A further master, which has no slots yet. */
  async grow(): Promise<RedisProcess> {
    const server = await this.#start();
    this.servers.push(server);
    await this.#meet(server);
    const everybody = `cluster_known_nodes:${this.servers.length}`;
    await this.#until(everybody, info => info.includes(everybody) && info.includes('cluster_state:ok'));
    return server;
  }

  async #meet({ admin }: RedisProcess): Promise<void> {
    const [first] = this.servers;
    if (first === undefined) return;
    const port = Number(await first.admin.config('GET', 'cluster-port').then(reply => (reply as string[])[1]));
    await admin.call('CLUSTER', 'MEET', '127.0.0.1', first.port, port);
  }

  async #join(): Promise<void> {
    await Promise.all(this.servers.map(({ admin }, i) => admin.cluster('SET-CONFIG-EPOCH', i + 1)));
    for (const server of this.servers.slice(1)) await this.#meet(server);
    const width = Math.ceil(slots / mastersCount);
    for (const [i, { admin }] of this.servers.slice(0, mastersCount).entries()) {
      await admin.call('CLUSTER', 'ADDSLOTSRANGE', i * width, Math.min(slots, (i + 1) * width) - 1);
    }
    const everybody = `cluster_known_nodes:${this.servers.length}`;
    await this.#until(everybody, info => info.includes(everybody));
    for (const [i, { admin }] of this.servers.slice(mastersCount).entries()) {
      const id = await this.servers[i]?.admin.cluster('MYID');
      await untilSo('a replica', () => admin.cluster('REPLICATE', String(id)).then(Boolean, () => false));
    }
    await this.#until('cluster_state:ok', info => info.includes('cluster_state:ok'));
    await untilSo('replicas that follow', async () => {
      const infos = await Promise.all(this.servers.slice(mastersCount).map(({ admin }) => admin.info('replication')));
      return infos.every(info => info.includes('master_link_status:up'));
    });
    await untilSo('replicas known to all', async () => {
      const known = await Promise.all(this.servers.map(({ admin }) => admin.cluster('NODES')));
      return known.every(nodes => String(nodes).split('slave ').length === mastersCount + 1);
    });
  }

  async #until(what: string, isSo: (info: string) => boolean): Promise<void> {
    await untilSo(what, async () => {
      const infos = await Promise.all(this.servers.map(({ admin }) => admin.cluster('INFO')));
      return infos.every(info => isSo(String(info)));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.servers.map(server => server[Symbol.asyncDispose]()));
    await rm(this.#directory, { recursive: true, force: true });
  }
}
