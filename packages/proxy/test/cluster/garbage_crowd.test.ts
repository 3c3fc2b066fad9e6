/** P7: crowds that send nothing, or send much and never finish, keep nobody out and cost bounded memory. */
import { expect, test } from 'vitest';
import { accepts, startBroker } from '../kit/broker.ts';
import { type Client, connectClient } from '../kit/clients.ts';
import { until } from '../kit/condition.ts';
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

/** One pair of small CONNECTs, one whole and one cut; answers how long they took. */
async function servePair(port: number): Promise<number> {
  const fromMs = performance.now();
  using whole = await acceptedRaw(port, { clientId: 'whole' });
  const [cut] = await sendInPieces(port, [cutAt(connectFor({ clientId: 'cut' }), 5)]);
  await cut?.waitForBytes(4);
  whole.reset();
  cut?.reset();
  return performance.now() - fromMs;
}

/** Looks at what the workers hold together until it is disposed of. */
class MemoryWatch implements Disposable {
  readonly before: number;
  peak: number;
  readonly #pids: readonly number[];
  readonly #timer: NodeJS.Timeout;

  constructor(limpet: Limpet) {
    this.#pids = limpet.workers();
    this.before = this.peak = this.#now();
    this.#timer = setInterval(() => {
      this.peak = Math.max(this.peak, this.#now());
    }, 20);
  }

  #now(): number {
    return this.#pids.reduce((sum, pid) => sum + residentBytes(pid), 0);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

test('P7: 300 attackers with 500 KB each of a CONNECT of 512 KB: memory is bounded, small CONNECTs get through', async () => {
  const pool = 16 * MIB;
  const workers = 2;
  const waves = 4;
  await using broker = await startBroker(accepts());
  const config = { global: { preread_memory: '16MiB' }, defaults: { timeout: { inspect: '5s' } } };
  await using limpet = await startLimpet(configFor({ servers: [broker.port], workers, ...config }));
  const port = limpet.port('mqtt');
  const pids = limpet.workers();
  const bytes = connectOfLength(5, 512 * 1024 - 4).subarray(0, 500_000);
  using memory = new MemoryWatch(limpet);
  const peaks: number[] = [];
  const pairs: number[] = [];
  for (let wave = 1; wave <= waves; wave += 1) {
    const attackers = await Promise.all(Array.from({ length: ATTACKERS }, () => attack(port, bytes)));
    for (let pair = 0; pair < 25; pair += 1) pairs.push(await servePair(port));
    // The last ones are left to their deadline.
    if (wave < waves) for (const attacker of attackers) attacker.reset();
    const over = (): boolean => attackers.every(one => one.isClosed);
    await until(over, { what: 'the end of the attackers', timeoutMs: 60_000 });
    peaks.push(memory.peak - memory.before);
  }
  const mib = (count: number): string => (count / MIB).toFixed(1);
  console.log(
    `workers: ${mib(memory.before)} MiB before, growth ${peaks.map(mib).join(', ')} MiB at most after 1 to ${waves} ` +
      `waves of ${mib(ATTACKERS * bytes.length)} MiB (pool ${mib(pool)} MiB); ${pairs.length * 2} small CONNECTs ` +
      `meanwhile, the slowest pair ${Math.round(Math.max(...pairs))} ms`,
  );
  // The pool; and in each worker as much as V8 lets buffers wait for its garbage collector.
  expect(memory.peak - memory.before).toBeLessThan(pool + workers * 64 * MIB);
  expect(limpet.workers()).toEqual(pids);
  expect(broker.peers.length).toBe(pairs.length * 2);
  for (const reason of ['preread_memory', 'too_late']) {
    await limpet.waitForEvent(
      event => event.event === 'refused' && event.reason === reason,
      `a line that says ${reason}`,
    );
  }
});
