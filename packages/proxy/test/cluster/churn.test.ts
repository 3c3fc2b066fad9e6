/** P8, P10: of thousands of short sessions, whatever their ends, nothing is left: no descriptor, no session, no memory. */
import { expect, test } from 'vitest';
import { AT_ONCE, churn, startChurnBroker } from '../kit/churn.ts';
import { until } from '../kit/condition.ts';
import { configFor } from '../kit/config.ts';
import { makeDirectory } from '../kit/directory.ts';
import { noSessionsTold } from '../kit/faces_sessions.ts';
import { type Limpet, startLimpet } from '../kit/limpet.ts';
import { COLLECTING, keptBytes } from '../kit/memory.ts';
import { descriptorsOf } from '../kit/proc.ts';
import { relayKinds } from '../kit/relay_kind.ts';

const MIB = 1024 ** 2;
/** Sessions of a round; the first one is for what every process needs only once. */
const ROUND = 12_000;
const ROUNDS = 3;
const SOME = 2_000;
/**
 * By the median of the rounds, for V8 makes its heap larger or smaller by 10 MiB at a time as it likes. A worker has half of the
 * sessions: 2 KB that are left of each would be 12 MiB there in every round, and 24 in the primary.
 */
const MOST_GROWN = 8 * MIB;

function start(port: number, socket: string): Promise<Limpet> {
  const global = { runtime_api: [socket], stats: { bind: '127.0.0.1:0' }, hard_stop_after: '2s' };
  return startLimpet(configFor({ servers: [port], workers: 2, global }), { env: COLLECTING });
}

/** The primary first. */
function processesOf(limpet: Limpet): number[] {
  return [limpet.process.pid, ...limpet.workers()];
}

async function descriptorsBack(pids: readonly number[], before: readonly number[]): Promise<void> {
  const now = (): number[] => pids.map(descriptorsOf);
  const areBack = (): boolean => now().every((count, index) => count <= (before[index] ?? 0));
  await until(areBack, { what: `descriptors ${before.join(', ')}`, seen: () => now().join(', ') });
}

function medianGrowth(bytes: readonly number[]): number {
  const growths = bytes.slice(1).map((now, index) => now - (bytes[index] ?? 0));
  return growths.sort((a, b) => a - b)[growths.length >> 1] ?? Number.NaN;
}

function inMib(bytes: readonly number[]): string {
  return bytes.map(one => (one / MIB).toFixed(1)).join(', ');
}

test(`P10: ${ROUNDS * ROUND} sessions leave no descriptor, no session on any face, and no memory`, async () => {
  await using directory = await makeDirectory('churn');
  await using broker = await startChurnBroker();
  await using limpet = await start(broker.port, directory.file('limpet.sock'));
  const [ready] = limpet.events(({ event }) => event === 'ready');
  expect(String(ready?.relay)).toMatch(new RegExp(`^${relayKinds.at(-1)}`));
  const pids = processesOf(limpet);
  const descriptors = pids.map(descriptorsOf);
  // Lets go of what only the start needed.
  await keptBytes(pids);
  const kept: number[][] = [];
  while (kept.length <= ROUNDS) {
    expect(await churn(limpet.port('mqtt'), ROUND)).toEqual([]);
    await noSessionsTold(limpet);
    await descriptorsBack(pids, descriptors);
    kept.push(await keptBytes(pids));
  }
  console.log(`MiB after each round: ${kept.map(inMib).join('; ')}`);
  const grown = pids.map((_, index) => medianGrowth(kept.map(bytes => bytes[index] ?? 0)));
  expect(Math.max(...grown)).toBeLessThan(MOST_GROWN);
  expect(processesOf(limpet)).toEqual(pids);
});

test('P8: a worker that is killed in the middle of it leaves no descriptor with the primary, and no session', async () => {
  await using directory = await makeDirectory('churn');
  await using broker = await startChurnBroker();
  await using limpet = await start(broker.port, directory.file('limpet.sock'));
  expect(await churn(limpet.port('mqtt'), SOME)).toEqual([]);
  await noSessionsTold(limpet);
  const [victim = 0, survivor = 0] = limpet.workers();
  const staying = [limpet.process.pid, survivor];
  const descriptors = staying.map(descriptorsOf);
  const ofVictim = descriptorsOf(victim);

  const served = broker.connectsMs.length;
  const lost = churn(limpet.port('mqtt'), 3 * SOME);
  await until(() => broker.connectsMs.length > served + SOME, { what: 'some of the sessions' });
  process.kill(victim, 'SIGKILL');
  // Those that it had at that moment.
  expect((await lost).length).toBeLessThanOrEqual(AT_ONCE);
  const successor = await until(() => limpet.workers().find(pid => pid !== victim && pid !== survivor), {
    what: 'a new worker',
  });
  expect(await churn(limpet.port('mqtt'), SOME)).toEqual([]);
  await noSessionsTold(limpet);
  await descriptorsBack([...staying, successor], [...descriptors, ofVictim]);
  expect(broker.open).toBe(0);
});
