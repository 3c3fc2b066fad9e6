import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Brokers, startBrokers } from '../kit/cluster.ts';
import { until } from '../kit/condition.ts';
import { connectAll, ids, Stream } from '../kit/crowd.ts';
import { makeDirectory } from '../kit/directory.ts';
import { Heirs } from '../kit/heirs.ts';
import { connectLight } from '../kit/light_client.ts';
import { runLimpet, startLimpet } from '../kit/limpet.ts';
import { freePort } from '../kit/port.ts';
import { isAlive } from '../kit/proc.ts';

let brokers: Brokers;
beforeAll(async () => {
  brokers = await startBrokers(2);
});
afterAll(async () => {
  await brokers[Symbol.asyncDispose]();
});

function configOf(global: object, binds: readonly string[] = []): object {
  return {
    global: { name: 'lb', workers: 2, hard_stop_after: '5s', log: { level: 'debug' }, ...global },
    frontends: { mqtt: { bind: ['127.0.0.1:0', ...binds], default_backend: 'emqx' } },
    backends: { emqx: { stick: { on: 'client_id' }, servers: brokers.servers() } },
  };
}

async function status(socket: string): Promise<string> {
  await using process = runLimpet(['status', '--socket', socket]);
  await process.waitForExit(20_000);
  return process.lines.map(({ text }) => text).join('\n');
}

async function answers(port: number): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => null);
  return answer?.status ?? 0;
}

test('P9: a program that cannot take over changes nothing, and says why; the next one takes over', async () => {
  await using directory = await makeDirectory('upgrade');
  const socket = `${directory.path}/limpet.sock`;
  const [statsPort, takenPort] = [await freePort(), await freePort()];
  const global = { runtime_api: [socket], stats: { bind: `127.0.0.1:${statsPort}` } };
  await using other = await startLimpet(configOf({}, [`127.0.0.1:${takenPort}`]));
  await using limpet = await startLimpet(configOf(global));
  await using heirs = new Heirs(limpet);
  const port = limpet.port('mqtt');
  await using live = await connectAll(port, ids('live', 50));
  await using visitors = new Stream(port, {
    everyMs: 20,
    next: number => ({ clientId: `visitor-${number % 100}` }),
    arrived: ({ client }) => void client?.leave(),
  });
  limpet.writeConfig('frontends: [');
  expect(await heirs.fail()).toMatch(/limpet\.yaml:\d:/);
  limpet.writeConfig(configOf(global, [`127.0.0.1:${takenPort}`]));
  expect(await heirs.fail()).toContain('the port is in use');
  // It fails when the old one has let go of its own port already.
  limpet.writeConfig(configOf({ ...global, stats: { bind: `127.0.0.1:${takenPort}` } }));
  expect(await heirs.fail()).toContain('EADDRINUSE');
  await until(async () => (await answers(statsPort)) === 200, { what: 'the stats port' });
  expect(await status(socket)).toMatch(/upgrade .*EADDRINUSE.*\(failed\)/);
  expect(heirs.lines('upgraded')).toEqual([]);
  limpet.writeConfig(configOf(global));
  await heirs.upgrade();
  expect(await status(socket)).toContain(`has replaced pid ${limpet.process.pid}`);
  expect(await answers(statsPort)).toBe(200);
  expect((await visitors.stop()).refused).toEqual([]);
  await Promise.all(live.clients.map(client => client.ping()));
  expect(other.events(({ event }) => event === 'worker_died')).toEqual([]);
});

test('P9: a new process that is killed, a second signal, and the end of the old one while the new one starts', async () => {
  await using limpet = await startLimpet(configOf({}));
  await using heirs = new Heirs(limpet);
  const port = limpet.port('mqtt');
  await using live = await connectAll(port, ids('kept', 20));
  const started = async (number: number): Promise<number> => {
    const line = await limpet.process.waitUntil('a new process', () => heirs.lines('upgrade')[number]);
    return Number(line.successor_pid);
  };
  limpet.process.signal('SIGUSR2');
  const killed = await started(0);
  limpet.process.signal('SIGUSR2');
  await limpet.process.waitUntil('the refusal', () => heirs.lines('upgrade_refused').length === 1);
  process.kill(killed, 'SIGKILL');
  await limpet.process.waitUntil('the failure', () => heirs.lines('upgrade_failed').length === 1);
  expect(heirs.lines('upgrade_failed')[0]?.reason).toBe('it ended: SIGKILL');
  await using client = await connectLight(port, { clientId: 'after' });
  await Promise.all([client, ...live.clients].map(one => one.ping()));
  limpet.process.signal('SIGUSR2');
  const unwanted = await started(1);
  await client.leave();
  await live.leave();
  await limpet.stop();
  expect(isAlive(unwanted)).toBe(false);
});
