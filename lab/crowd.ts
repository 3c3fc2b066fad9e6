/**
 * Many clients with persistent sessions on the active proxy, which is killed. All must be back at the broker that holds
 * their session, through the other proxy, each when it wants to be, and no faster than that proxy's `connect_rate`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { until } from '../packages/proxy/test/kit/condition.ts';
import type { Attempt, CrowdNews } from './crowd_clients.ts';
import { onHost, virtualAddress } from './network.ts';
import type { Pair } from './pair.ts';
import { mqttPort } from './proxy_host.ts';
import type { Accepted } from './services.ts';

export interface CrowdResult {
  readonly clients: number;
  readonly connectRate: number;
  /** Of them, those that learned within a second that their proxy was gone; the others at their next ping. */
  readonly toldAtOnce: number;
  /** Those that are back, and those whose first attempt was enough. */
  readonly back: number;
  readonly atFirstAttempt: number;
  /** Those back whose broker still had their session, and, by the brokers' logs, the same broker as before. */
  readonly sessionPresent: number;
  readonly sameBroker: number;
  /** From the fault until the last one was back. */
  readonly allBackMs: number;
  /** The longest that an attempt waited for its CONNACK. */
  readonly longestWaitMs: number;
  /** The most CONNECTs that reached the brokers in any second. */
  readonly mostInASecond: number;
  /** Words of attempts that failed, and how often. */
  readonly failed: Readonly<Record<string, number>>;
}

const prefix = 'device-';
const patienceMs = 90_000;
const secondMs = 1_000;

export async function runCrowd(pair: Pair, clients: number, connectRate: number): Promise<CrowdResult> {
  await until(() => pair.isWhole, { what: 'a whole pair', timeoutMs: 30_000, seen: () => pair.describe() });
  await using crowd = new CrowdClients(clients);
  await until(() => crowd.arrived(0).size === clients, { what: 'all clients to come', timeoutMs: patienceMs });
  const before = homes(pair.services.accepted(prefix));
  const atMs = Date.now();
  pair.active.limpet.process.signal('SIGKILL');
  const isBack = (): boolean => crowd.arrived(atMs).size === clients;
  await until(isBack, { what: 'all clients to come back', timeoutMs: patienceMs }).catch(() => undefined);
  const acceptedSince = (): Accepted[] => pair.services.accepted(prefix).filter(client => client.atMs >= atMs);
  const isLogged = (): boolean => homes(acceptedSince()).size >= crowd.arrived(atMs).size;
  await until(isLogged, { what: "the brokers' lines" });
  const accepted = acceptedSince();
  const after = homes(accepted);
  const arrived = crowd.arrived(atMs);
  const attempts = crowd.attempts.filter(attempt => attempt.fromMs >= atMs);
  const failed = attempts.filter(attempt => attempt.sessionPresent === null);
  const seldom = new Set(failed.map(attempt => attempt.client));
  return {
    clients,
    connectRate,
    toldAtOnce: crowd.lossesMs.filter(lostMs => lostMs >= atMs && lostMs < atMs + secondMs).length,
    back: arrived.size,
    atFirstAttempt: [...arrived.keys()].filter(client => !seldom.has(client)).length,
    sessionPresent: [...arrived.values()].filter(attempt => attempt.sessionPresent === true).length,
    sameBroker: [...after].filter(([client, broker]) => before.get(client) === broker).length,
    allBackMs: Math.max(0, ...[...arrived.values()].map(attempt => attempt.toMs)) - atMs,
    longestWaitMs: Math.max(0, ...attempts.map(attempt => attempt.toMs - attempt.fromMs)),
    mostInASecond: mostWithin(
      accepted.map(client => client.atMs),
      secondMs,
    ),
    failed: countOf(failed.map(attempt => attempt.why)),
  };
}

/** The most of those times, in ascending order, that any window holds, wherever it begins. */
export function mostWithin(timesMs: readonly number[], windowMs: number): number {
  let most = 0;
  let first = 0;
  for (const [index, atMs] of timesMs.entries()) {
    while (atMs - (timesMs[first] ?? atMs) >= windowMs) first += 1;
    most = Math.max(most, index - first + 1);
  }
  return most;
}

/** Client id → the last broker that accepted it. */
function homes(accepted: readonly Accepted[]): Map<string, string> {
  return new Map(accepted.map(({ clientId, broker }) => [clientId, broker]));
}

function countOf(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

/** The laboratory's side of `crowd_clients.ts`. Disposing of it ends them all. */
class CrowdClients implements AsyncDisposable {
  readonly attempts: Attempt[] = [];
  readonly lossesMs: number[] = [];
  readonly #child: ChildProcess;

  constructor(count: number) {
    const file = fileURLToPath(new URL('crowd_clients.ts', import.meta.url));
    const node = [process.execPath, '--import', import.meta.resolve('tsx'), file];
    const [command = '', ...args] = [...onHost('client'), ...node, virtualAddress, String(mqttPort), String(count)];
    this.#child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#child.on('message', message => {
      const news = message as CrowdNews;
      this.attempts.push(...news.attempts);
      this.lossesMs.push(...news.lossesMs);
    });
  }

  /** Each client's last accepted attempt that ended after `sinceMs`. */
  arrived(sinceMs: number): Map<number, Attempt> {
    const accepted = this.attempts.filter(attempt => attempt.sessionPresent !== null && attempt.toMs >= sinceMs);
    return new Map(accepted.map(attempt => [attempt.client, attempt]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }
}
