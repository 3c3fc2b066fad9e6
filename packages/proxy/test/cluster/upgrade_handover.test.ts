import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Brokers, startBrokers } from '../kit/cluster.ts';
import { until } from '../kit/condition.ts';
import { connectAll, ids } from '../kit/crowd.ts';
import { makeDirectory } from '../kit/directory.ts';
import { Heirs } from '../kit/heirs.ts';
import { arrive, connectLight, type LightClient } from '../kit/light_client.ts';
import { runLimpet, startLimpet } from '../kit/limpet.ts';
import { freePort } from '../kit/port.ts';
import { childrenOf } from '../kit/proc.ts';
import { startManager, told } from '../kit/service_manager.ts';

let brokers: Brokers;
beforeAll(async () => {
  brokers = await startBrokers(3);
});
afterAll(async () => {
  await brokers[Symbol.asyncDispose]();
});

function configOf(global: object): object {
  return {
    global: { name: 'lb', workers: 2, hard_stop_after: '60s', log: { level: 'debug' }, ...global },
    frontends: {
      mqtt: { bind: '127.0.0.1:0', default_backend: 'emqx' },
      other: { bind: '127.0.0.1:0', default_backend: 'emqx' },
    },
    backends: { emqx: { stick: { on: 'client_id' }, balance: 'leastconn', servers: brokers.servers() } },
  };
}

async function command(socket: string, ...words: readonly string[]): Promise<string> {
  await using process = runLimpet([...words, '--socket', socket]);
  await process.waitForExit(20_000);
  return process.lines.map(({ text }) => text).join('\n');
}

function visits(name: string, prefix: string): number {
  return brokers.connections(name).filter(({ clientId }) => clientId.startsWith(prefix)).length;
}

test('what operators have said goes over, and a word to the new process is heard by the old one', async () => {
  await using directory = await makeDirectory('handover');
  const socket = directory.file('limpet.sock');
  await using limpet = await startLimpet(configOf({ runtime_api: [socket] }));
  await using heirs = new Heirs(limpet);
  const port = limpet.port('mqtt');
  const otherPort = limpet.port('other');
  await using early = await connectAll(port, ids('early', 30));
  await command(socket, 'runtime', 'disable frontend other');
  await command(socket, 'runtime', 'set server emqx/b1 state drain');
  await heirs.upgrade();
  await expect(connectLight(otherPort, { clientId: 'shut-out' })).rejects.toThrow('ECONNREFUSED');
  // b2 and b3 have ten each in the old process, which the new one counts: eleven more make a difference of one.
  await using late = await connectAll(port, ids('late', 11));
  await Promise.all([...early.clients, ...late.clients].map(client => client.ping()));
  expect(visits('b1', 'late')).toBe(0);
  expect(Math.abs(visits('b2', 'late') - visits('b3', 'late'))).toBe(1);
  // The new one cannot show them, and says so.
  expect(await command(socket, 'status')).toMatch(/has replaced pid \d+, which still holds 30 sessions$/m);
  const [gone] = early.clients;
  expect(await command(socket, 'client', 'show', gone?.clientId ?? '')).toMatch(
    /^not connected to this process; 30 sessions are still at pid \d+$/m,
  );
  expect(await command(socket, 'runtime', 'show info')).toMatch(/^Predecessor_sessions: 30$/m);
  const onSecond = new Set(brokers.connections('b2').map(({ clientId }) => clientId));
  await command(socket, 'runtime', 'set server emqx/b2 state maint');
  const [leaving, staying] = [true, false].map(is =>
    early.clients.filter(({ clientId }) => onSecond.has(clientId) === is),
  );
  await until(() => leaving?.every(({ isClosed }) => isClosed), { what: 'the end of the sessions of b2' });
  await Promise.all((staying ?? []).map(client => client.ping()));
  await command(socket, 'runtime', 'enable frontend other');
  await limpet.waitForEvent(({ event, pid }) => event === 'ready' && pid === heirs.pid, 'the new process');
});

test('P9: the new process reads the file anew: other workers, a bind less, a bind more', async () => {
  const [gone, added] = [await freePort(), await freePort()];
  const config = (workers: number, bind: number): object => ({
    ...configOf({ workers }),
    frontends: { mqtt: { bind: ['127.0.0.1:0', `127.0.0.1:${bind}`], default_backend: 'emqx' } },
  });
  await using limpet = await startLimpet(config(2, gone));
  await using heirs = new Heirs(limpet);
  const port = limpet.port('mqtt');
  for (const [workers, bind] of [
    [3, added],
    [1, added],
  ] as const) {
    await using before = await connectAll(port, ids(`before-${workers}`, 60));
    limpet.writeConfig(config(workers, bind));
    await heirs.upgrade();
    await using after = await connectAll(port, ids(`after-${workers}`, 60));
    await using onAdded = await connectAll(added, ids(`added-${workers}`, 10));
    expect([...before.refused, ...after.refused, ...onAdded.refused]).toEqual([]);
    await Promise.all([...before.clients, ...after.clients].map(client => client.ping()));
    expect(childrenOf(heirs.pid)).toHaveLength(workers);
  }
  await limpet.process.waitUntil('the end of all before', () => heirs.lines('predecessor_gone').length === 2);
  await expect(connectLight(gone, { clientId: 'too-late' })).rejects.toThrow('ECONNREFUSED');
});

test('systemd hears of the new process before the old one ends', async () => {
  await using directory = await makeDirectory('manager');
  await using manager = await startManager(directory.file('notify'));
  const env = { NOTIFY_SOCKET: directory.file('notify'), WATCHDOG_USEC: '60000000' };
  await using limpet = await startLimpet(configOf({}), { env });
  await using heirs = new Heirs(limpet);
  await heirs.upgrade();
  const successor = heirs.pid;
  await limpet.process.waitUntil('the end of the old one', () => heirs.lines('predecessor_gone').length === 1);
  const words = (): string[] => told(manager).map(text => text.split(' | ')[0] ?? '');
  await until(() => words().length >= 3, { what: 'three messages', seen: () => words().join(', ') });
  expect(words().filter(word => word.startsWith('MAINPID'))).toEqual([`MAINPID=${successor}`]);
  expect(words().filter(word => word === 'READY=1')).toHaveLength(2);
  expect(words()).not.toContain('STOPPING=1');
  process.kill(successor, 'SIGTERM');
  await until(() => words().includes('STOPPING=1'), { what: 'the end of the new one' });
});

test('P9: who was accepted where maxconn leaves no room is not reset by an upgrade', async () => {
  const config = configOf({}) as { frontends: { mqtt: object } };
  const mqtt = { ...config.frontends.mqtt, maxconn: 10 };
  await using limpet = await startLimpet({ ...config, frontends: { ...config.frontends, mqtt } });
  await using heirs = new Heirs(limpet);
  const port = limpet.port('mqtt');
  const inside: LightClient[] = [];
  const outcomes: string[] = [];
  const clientIds = ids('crowded', 60);
  for (const clientId of clientIds) {
    void arrive(port, { clientId, timeoutMs: 60_000 }).then(({ outcome, client }) => {
      outcomes.push(outcome);
      if (client !== null) inside.push(client);
    });
  }
  await until(() => inside.length === 10, { what: 'a full frontend' });
  await heirs.upgrade();
  const isOver = async (): Promise<boolean> => {
    await Promise.all(inside.splice(0).map(client => client.leave()));
    return outcomes.length === clientIds.length;
  };
  await until(isOver, { what: 'an outcome for everybody', timeoutMs: 90_000 });
  expect(outcomes.filter(outcome => outcome !== 'accepted')).toEqual([]);
});
