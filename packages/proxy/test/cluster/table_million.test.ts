/**
 * A table of a million entries is streamed by a proxy that runs, while 200 clients a second connect through it: no event
 * loop of it pauses for 20 ms, that of its primary or of any worker.
 */
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import { until } from '../kit/condition.ts';
import { type Crowd, Stream } from '../kit/crowd.ts';
import { type Directory, makeDirectory } from '../kit/directory.ts';
import { type Limpet, runLimpet, startLimpet } from '../kit/limpet.ts';
import { startProcess } from '../kit/process.ts';
import { type RedisServer, startRedis } from '../kit/redis.ts';
import { askRuntime } from '../kit/runtime_api.ts';
import { type Sink, startSink } from '../kit/sink.ts';
import { type Pauses, pausesBetween, watchedTurns } from '../kit/turns.ts';

const entries = 1_000_000;
const longestPauseMs = 20;
const expireMs = 1_800_000;
const servers = ['emqx1', 'emqx2', 'emqx3'];

const keyOf = (i: number): string => `device-${String(i).padStart(8, '0')}-${(i * 7919) % 100_000}`;
const serverOf = (i: number): string => servers[i % servers.length] ?? '';

/** A proxy with one table, whose event loops are watched. */
async function startProxy(directory: Directory, sinks: readonly Sink[], redis: RedisServer | null): Promise<Limpet> {
  return await startLimpet(
    {
      global: { name: 'lb1', workers: 2, runtime_api: [directory.file('limpet.sock')] },
      ...(redis === null ? {} : { state: { store: 'redis', redis: { url: redis.url } } }),
      frontends: { mqtt: { bind: ['127.0.0.1:0'], default_backend: 'emqx' } },
      backends: {
        emqx: {
          stick: { on: 'client_id', size: '2m', expire: '30m' },
          check: false,
          servers: Object.fromEntries(sinks.map(({ port }, i) => [servers[i], `127.0.0.1:${port}`])),
        },
      },
    },
    { env: watchedTurns(directory) },
  );
}

/** What was measured while something was done. */
interface Measured {
  readonly ms: number;
  readonly pauses: readonly Pauses[];
  readonly crowd: Crowd;
}

/** 200 clients a second, new and returning ones, each for a moment. */
async function whileServing(limpet: Limpet, directory: Directory, work: () => Promise<unknown>): Promise<Measured> {
  const pids = [limpet.process.pid, ...limpet.workers()];
  await using stream = new Stream(limpet.port('mqtt'), {
    everyMs: 5,
    next: number => ({ clientId: number % 2 === 0 ? `client-${number}` : keyOf(number), clean: false }),
    arrived: ({ client }) => void client?.leave(),
  });
  await until(() => stream.count > 100, { what: 'clients that come' });
  const fromMs = Date.now();
  await work();
  const toMs = Date.now();
  // The last of them is told a moment later.
  await until(() => Date.now() > toMs + 600, { what: 'word of the last turns' });
  const crowd = await stream.stop();
  return { ms: toMs - fromMs, pauses: pausesBetween(directory, pids, fromMs, toMs + 500), crowd };
}

function report(name: string, { ms, pauses, crowd }: Measured): void {
  const waits = crowd.arrivals.map(({ waitMs }) => waitMs).sort((a, b) => a - b);
  const wait = (part: number): number => waits[Math.floor((waits.length - 1) * part)] ?? 0;
  const loops = pauses.map(({ workedMs, longestMs }) => `${workedMs.toFixed(1)} (${longestMs.toFixed(1)})`);
  const served = `${waits.length} clients, p50 ${wait(0.5)} p99 ${wait(0.99)} longest ${wait(1)} ms`;
  console.log(`${name}: ${ms} ms; longest pause of primary, workers: ${loops.join(', ')} ms; ${served}`);
}

/** `show table` as the seeds have it, but for -t: socat would leave as soon as nothing comes for half a second. */
async function showTable(directory: Directory): Promise<void> {
  const command = `echo "show table emqx" | socat -t 30 stdio ${directory.file('limpet.sock')} > ${directory.file('table')}`;
  await using shown = startProcess('sh', ['-c', command]);
  const { code } = await shown.waitForExit(180_000);
  expect(code).toBe(0);
}

/** Keys of the file are those of the table, each once. */
async function expectAllShown(directory: Directory): Promise<void> {
  const seen = new Set<string>();
  for await (const line of createInterface(createReadStream(directory.file('table')))) {
    const [, key] =
      /^0x\w{8}: key=(device-\S+) use=[01] exp=\d+ server_id=[123] server_key=emqx[123]$/.exec(line) ?? [];
    if (key !== undefined) seen.add(key);
  }
  expect(seen.size).toBe(entries);
}

function expectServed({ crowd }: Measured, leastClients: number): void {
  expect(crowd.refused).toEqual([]);
  expect(crowd.clients.length).toBeGreaterThan(leastClients);
}

/** Of every event loop. Writing a million entries is another matter than showing them: there only clients count. */
function expectShortPauses({ pauses }: Measured): void {
  for (const { workedMs } of pauses) expect(workedMs).toBeLessThan(longestPauseMs);
}

/** Entries as `limpet table export` writes them. */
async function writeEntries(path: string): Promise<void> {
  const file = createWriteStream(path);
  for (let i = 0; i < entries; ) {
    let lines = '';
    for (const end = Math.min(i + 5000, entries); i < end; i++) {
      lines += `{"key":"${keyOf(i)}","server":"${serverOf(i)}","ttl_ms":${expireMs - (i % 1000)}}\n`;
    }
    if (!file.write(lines)) await once(file, 'drain');
  }
  file.end();
  await finished(file);
}

async function fill(redis: RedisServer): Promise<void> {
  const filler = redis.client();
  for (let i = 0; i < entries; ) {
    const batch = filler.pipeline();
    for (const end = Math.min(i + 5000, entries); i < end; i++) {
      const value = `${serverOf(i)}|lb1/${i % 4}|${i}|${i % 2 === 0 ? 'c' : 'o'}`;
      batch.set(`limpet:stick:emqx:${keyOf(i)}`, value, 'PX', expireMs);
    }
    await batch.exec();
  }
}

describe('a table of a million, in a proxy that runs', { timeout: 600_000 }, () => {
  it('in memory: it is imported, shown and exported', async () => {
    await using directory = await makeDirectory('million');
    await using one = await startSink();
    await using two = await startSink();
    await using three = await startSink();
    await using limpet = await startProxy(directory, [one, two, three], null);
    const socket = directory.file('limpet.sock');
    await writeEntries(directory.file('entries.ndjson'));
    const imported = await whileServing(limpet, directory, async () => {
      const file = directory.file('entries.ndjson');
      await using program = runLimpet(['table', 'import', 'emqx', file, '--socket', socket]);
      expect(await program.waitForExit(400_000)).toMatchObject({ code: 0 });
    });
    report('memory, import', imported);
    const shown = await whileServing(limpet, directory, () => showTable(directory));
    report('memory, show table', shown);
    await expectAllShown(directory);
    console.log(await askRuntime(socket, 'show activity'));
    expectServed(imported, 500);
    expectServed(shown, 200);
    expectShortPauses(shown);
  });

  it('in Redis: it is shown', async () => {
    await using directory = await makeDirectory('million');
    await using redis = await startRedis({ unixSocket: true });
    await using one = await startSink();
    await using two = await startSink();
    await using three = await startSink();
    await fill(redis);
    await using limpet = await startProxy(directory, [one, two, three], redis);
    const shown = await whileServing(limpet, directory, () => showTable(directory));
    report('redis, show table', shown);
    await expectAllShown(directory);
    console.log(await askRuntime(directory.file('limpet.sock'), 'show activity'));
    expectServed(shown, 500);
    expectShortPauses(shown);
  });
});
