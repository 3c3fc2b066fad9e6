import { readFileSync, renameSync, statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { startBroker } from '../kit/broker.ts';
import { until } from '../kit/condition.ts';
import { configFor } from '../kit/config.ts';
import { acceptedRaw } from '../kit/connects.ts';
import { makeDirectory } from '../kit/directory.ts';
import { type LogEvent, runLimpet } from '../kit/limpet.ts';
import type { Process } from '../kit/process.ts';

/** The lines of a log file, each of which must be whole. */
function eventsIn(path: string): readonly LogEvent[] {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return [];
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.map(line => JSON.parse(line) as LogEvent);
}

const workersIn = (path: string, wanted: string): readonly unknown[] => [
  ...new Set(eventsIn(path).flatMap(({ event, worker }) => (event === wanted ? [worker] : []))),
];

/** Clients come and go until lines of both workers are in the file. */
async function visit(limpet: Process, port: number, path: string): Promise<void> {
  let visitors = 0;
  await limpet.waitUntil(`lines of both workers in ${path}`, async () => {
    visitors += 1;
    using _client = await acceptedRaw(port, { clientId: `visitor-${visitors}` });
    return workersIn(path, 'connect').length === 2;
  });
}

test('after logrotate and SIGUSR1 all processes write to the new file, and nothing is lost', async () => {
  await using folder = await makeDirectory('log');
  await using broker = await startBroker();
  const path = folder.file('limpet.log');
  const config = configFor({
    servers: [broker.port],
    workers: 2,
    global: { hard_stop_after: '1s', log: { target: { file: path } } },
  });
  const file = folder.write('limpet.yaml', JSON.stringify(config));
  await using limpet = runLimpet(['run', '-c', file]);
  await limpet.waitUntil('the start', () => eventsIn(path).some(({ event }) => event === 'ready'), 20_000);
  const port = Number(eventsIn(path).find(({ event }) => event === 'listening')?.port);
  await visit(limpet, port, path);
  renameSync(path, folder.file('limpet.log.1'));
  limpet.signal('SIGUSR1');
  await until(() => statSync(path, { throwIfNoEntry: false }) !== undefined, { what: 'the new file' });
  await visit(limpet, port, path);
  expect((await limpet.kill('SIGTERM')).code).toBe(0);
  expect(workersIn(path, 'stopped')).toEqual(['primary']);
  const all = [...eventsIn(folder.file('limpet.log.1')), ...eventsIn(path)];
  const ids = (wanted: string): unknown[] =>
    all.flatMap(({ event, client_id }) => (event === wanted ? [client_id] : []));
  expect(ids('end').toSorted()).toEqual(ids('connect').toSorted());
  expect(limpet.lines.filter(({ stream }) => stream === 'stdout')).toEqual([]);
});

test('a log file that cannot be opened ends the start, and names it', async () => {
  await using folder = await makeDirectory('log');
  const log = { target: { file: folder.file('none/limpet.log') } };
  const file = folder.write('limpet.yaml', JSON.stringify(configFor({ servers: [1], global: { log } })));
  await using limpet = runLimpet(['run', '-c', file]);
  expect((await limpet.waitForExit()).code).toBe(1);
  expect(limpet.tail()).toContain(`there is no folder ${folder.file('none')}`);
});
