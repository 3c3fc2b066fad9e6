import { availableParallelism } from 'node:os';
import { type Config, formatProblem, LimpetError, loadConfig } from '@limpet/proxy';
import { DEFAULT_SOCKET, type PlaceFlags } from '../admin/address.ts';
import { overview, runningProxy } from '../running_proxy.ts';
import { programVersion } from '../version.ts';
import type { Finding } from './finding.ts';
import { judgeBacklog } from './judge/backlog.ts';
import { judgeBrokers } from './judge/brokers.ts';
import { judgeClock } from './judge/clock.ts';
import { type ConfigRead, judgeConfig } from './judge/config.ts';
import { judgeConntrack } from './judge/conntrack.ts';
import { judgeMachine } from './judge/machine.ts';
import { judgeOpenFiles } from './judge/open_files.ts';
import { judgePorts } from './judge/ports.ts';
import { judgeProxy, type ProxySeen } from './judge/proxy.ts';
import { judgeCluster, judgeSentinels } from './judge/redis_group.ts';
import { judgeRedisNode } from './judge/redis_node.ts';
import { judgeRelay } from './judge/relay.ts';
import { judgeTcpMemory } from './judge/tcp_memory.ts';
import { judgeVip } from './judge/vip.ts';
import { type Load, loadOf, standardLoad } from './load.ts';
import { readBrokers } from './read/brokers.ts';
import { readClock } from './read/clock.ts';
import { type Running, readBacklog, readConntrack, readOpenFiles, readPorts, readTcpMemory } from './read/kernel.ts';
import { readMachine } from './read/machine.ts';
import { type RedisSeen, readRedis } from './read/redis.ts';
import { readRelay } from './read/relay.ts';
import { readVip } from './read/vip.ts';

export interface Diagnosis {
  /** Null: none was named, and none is known of a running proxy. */
  readonly configPath: string | null;
  /** The name of the proxy that runs here; null: none answers. */
  readonly proxy: string | null;
  readonly findings: readonly Finding[];
}

/** Looks at this host, its proxy, its brokers and its Redis, and judges what it sees. Never rejects for what it finds. */
export async function diagnose(flags: PlaceFlags): Promise<Diagnosis> {
  const asked = await askProxy(flags);
  const { read, config } = readConfiguration(flags.config ?? asked.running?.info.config_path ?? null);
  const load = loadFor(config, asked.running);
  const [remote, vip] = await Promise.all([remoteFindings(config, load), readVip(config?.global.vip ?? null)]);
  return {
    configPath: read.kind === 'none' ? null : read.path,
    proxy: asked.running?.info.name ?? null,
    findings: [
      ...judgeConfig(read),
      ...judgeProxy(asked.seen, programVersion()),
      ...judgeRelay(readRelay(asked.running, config)),
      ...remote,
      ...(vip === null ? [] : judgeVip(vip)),
      ...hostFindings(asked.running, load),
    ],
  };
}

interface Asked {
  readonly seen: ProxySeen;
  readonly running: Running | null;
}

/** A file that is wrong says nothing of the socket, which may be the usual one. */
async function askProxy(flags: PlaceFlags): Promise<Asked> {
  try {
    return await ask(flags);
  } catch (error) {
    const isFile = error instanceof LimpetError && error.code === 'BAD_CONFIGURATION';
    if (isFile && flags.socket === undefined)
      return await askProxy({ socket: process.env.LIMPET_SOCKET || DEFAULT_SOCKET });
    const why = error instanceof LimpetError ? error.message : String(error);
    return { seen: { kind: 'away', why }, running: null };
  }
}

async function ask(flags: PlaceFlags): Promise<Asked> {
  const { info, workers, proxies } = await overview(runningProxy(flags));
  return { seen: { kind: 'runs', info, proxies }, running: { info, workers, proxies } };
}

function readConfiguration(path: string | null): { readonly read: ConfigRead; readonly config: Config | null } {
  if (path === null) return { read: { kind: 'none' }, config: null };
  const result = loadConfig(path);
  if (!result.ok) return { read: { kind: 'wrong', path, problems: result.problems.map(formatProblem) }, config: null };
  const warnings = result.warnings.map(formatProblem);
  return { read: { kind: 'right', path, warnings }, config: result.config };
}

/** A reload may have changed the limit of the proxy that runs. */
function loadFor(config: Config | null, running: Running | null): Load {
  if (config !== null) return loadOf(config);
  const load = standardLoad(availableParallelism());
  return running === null ? load : { ...load, maxconn: running.info.maxconn, workers: running.info.workers };
}

/** What is asked over the network, at the same time. */
async function remoteFindings(config: Config | null, load: Load): Promise<Finding[]> {
  const [brokers, redis, clock] = await Promise.all([
    readBrokers(load.brokers),
    config?.state.store === 'redis' ? readRedis(config.state.redis) : null,
    readClock(),
  ]);
  return [
    ...judgeBrokers(brokers),
    ...(redis === null || config === null ? [] : redisFindings(redis, config, load)),
    ...judgeClock({ ...clock, redisAheadMs: redis?.aheadMs ?? null }),
  ];
}

function redisFindings({ nodes, sentinels, cluster }: RedisSeen, { state }: Config, load: Load): Finding[] {
  if (state.store !== 'redis') return [];
  const { timeoutMs, prefix } = state.redis;
  const entries = Math.ceil(load.entries / Math.max(1, nodes.length));
  const wanted = { timeoutMs, prefix, entries, wantsReplicas: sentinels !== null || cluster !== null };
  return [
    ...(sentinels === null ? [] : judgeSentinels(sentinels.answers, sentinels.master)),
    ...(cluster === null ? [] : judgeCluster(cluster)),
    ...nodes.flatMap(node => judgeRedisNode(node, wanted)),
  ];
}

function hostFindings(running: Running | null, load: Load): Finding[] {
  return [
    ...judgeOpenFiles(readOpenFiles(running), load),
    ...judgePorts(readPorts(), load),
    ...judgeConntrack(readConntrack(), load),
    ...judgeBacklog(readBacklog(), load),
    ...judgeTcpMemory(readTcpMemory(), load),
    ...judgeMachine(readMachine(running?.info.pid ?? null), load),
  ];
}
