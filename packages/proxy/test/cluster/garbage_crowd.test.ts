/** P7: crowds that send nothing, or send much and never finish, keep nobody out and cost bounded memory. */
import { expect, test } from 'vitest';
import { accepts, startBroker } from '../kit/broker.ts';
import { type Client, connectClient } from '../kit/clients.ts';
import { until, within } from '../kit/condition.ts';
import { configFor } from '../kit/config.ts';
import { acceptedRaw, connectFor } from '../kit/connects.ts';
import { cutAt, sendInPieces } from '../kit/cut.ts';
import { type Limpet, startLimpet } from '../kit/limpet.ts';
import { startMosquitto } from '../kit/mosquitto.ts';
import { residentBytes } from '../kit/proc.ts';
import { connectRaw, type RawSocket } from '../kit/raw_socket.ts';
import { connectOfLength } from '../unit/preread/connect_bytes.ts';

const MIB = 1024 ** 2;
const SILENT = 2000;
const CLIENTS = 100;
const ATTACKERS = 300;

test('P7: 2,000 silent connections end at their deadline, and 100 clients are served meanwhile', async () => {
  const inspectMs = 2000;
  await using mosquitto = await startMosquitto();
  const defaults = { timeout: { inspect: '2s' } };
  await using limpet = await startLimpet(configFor({ servers: [mosquitto.port], workers: 2, defaults }));
  const workers = limpet.workers();
  const lives: number[] = [];
  const live = async (): Promise<RawSocket> => {
    const startMs = performance.now();
    const socket = await connectRaw(limpet.port('mqtt'));
    void socket.closed.then(() => lives.push(performance.now() - startMs));
    socket.socket.once('end', () => socket.end());
    return socket;
  };
  const silent = await Promise.all(Array.from({ length: SILENT }, live));
  const connecting: Promise<Client>[] = [];
  for (let number = 0; number < CLIENTS; number += 1) {
    connecting.push(connectClient(limpet.port('mqtt'), { clientId: `real-${number}`, timeoutMs: 30_000 }));
  }
  const clients = await Promise.all(connecting);
  const stillThere = silent.filter(socket => !socket.ended).length;
  await until(() => lives.length === SILENT, { what: 'the end of the silent ones', timeoutMs: 30_000 });
  expect(Math.min(...lives)).toBeGreaterThanOrEqual(inspectMs);
  expect(silent.every(socket => socket.bytesIn === 0)).toBe(true);
  expect(clients.every(client => client.mqtt.connected)).toBe(true);
  expect(limpet.workers()).toEqual(workers);
  console.log(
    `${SILENT} silent connections lived ${Math.round(Math.min(...lives))} to ${Math.round(Math.max(...lives))} ms; ` +
      `${stillThere} of them were there when ${CLIENTS} clients had been served`,
  );
  await Promise.all(clients.map(client => client.end()));
});

/** Sends most of a CONNECT, and whatever the answer is, takes it. */
async function attack(port: number, bytes: Buffer): Promise<RawSocket> {
  const attacker = await connectRaw(port);
  attacker.socket.once('end', () => attacker.end());
  void attacker.write(bytes).catch(() => undefined);
  return attacker;
}

function memoryOf(limpet: Limpet): number {
  return limpet.workers().reduce((sum, pid) => sum + residentBytes(pid), 0);
}

/** The most that the workers held together, from now until `over`. */
async function peakUntil(limpet: Limpet, over: () => boolean, what: string): Promise<number> {
  let peak = 0;
  const look = (): boolean => {
    peak = Math.max(peak, memoryOf(limpet));
    return over();
  };
  await until(look, { what, timeoutMs: 60_000 });
  return peak;
}

test('P7: 300 attackers with 500 KB each of a CONNECT of 512 KB: memory is bounded, small CONNECTs get through', async () => {
  const pool = 16 * MIB;
  const workers = 2;
  await using broker = await startBroker(accepts());
  const config = { global: { preread_memory: '16MiB' }, defaults: { timeout: { inspect: '5s' } } };
  await using limpet = await startLimpet(configFor({ servers: [broker.port], workers, ...config }));
  const port = limpet.port('mqtt');
  const pids = limpet.workers();
  // Levels what Node's heap and libuv need at first: some clients, big and small.
  const big = connectOfLength(5, 512 * 1024 - 4);
  for (let number = 0; number < 20; number += 1) {
    for (const client of await sendInPieces(port, [[big], [connectFor({ clientId: `small-${number}` })]])) {
      await client.waitForBytes(4);
      client.reset();
    }
  }
  const before = memoryOf(limpet);

  const bytes = big.subarray(0, 500_000);
  const attackers = await Promise.all(Array.from({ length: ATTACKERS }, () => attack(port, bytes)));
  const startMs = performance.now();
  const slowest: number[] = [];
  const serve = async (): Promise<void> => {
    for (let number = 0; number < 50; number += 1) {
      const fromMs = performance.now();
      using whole = await acceptedRaw(port, { clientId: `whole-${number}` });
      const [cut] = await sendInPieces(port, [cutAt(connectFor({ clientId: `cut-${number}` }), 5)]);
      await cut?.waitForBytes(4);
      slowest.push(performance.now() - fromMs);
      whole.end();
      cut?.[Symbol.dispose]();
    }
  };
  const served = within(serve(), { what: '100 small CONNECTs', timeoutMs: 30_000 });
  const peak = await peakUntil(limpet, () => attackers.every(one => one.isClosed), 'the end of the attackers');
  await served;

  const growth = peak - before;
  const mib = (count: number): string => (count / MIB).toFixed(1);
  console.log(
    `workers: ${mib(before)} MiB before, ${mib(peak)} MiB at most, growth ${mib(growth)} MiB (pool 16 MiB, sent ` +
      `${mib(ATTACKERS * bytes.length)} MiB); 100 small CONNECTs, the slowest pair ${Math.round(Math.max(...slowest))} ms; ` +
      `over after ${Math.round(performance.now() - startMs)} ms`,
  );
  // The pool, and as much again for bytes on their way and for buffers that wait for the garbage collector, a worker.
  expect(growth).toBeLessThan(pool * 3);
  expect(limpet.workers()).toEqual(pids);
  expect(broker.peers.length).toBe(20 * 2 + 100);
  const reasons = new Set(limpet.events(event => event.event === 'refused').map(event => event.reason));
  expect([...reasons].sort()).toEqual(['preread_memory', 'too_late']);
});
