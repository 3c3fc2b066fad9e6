import { remoteTable } from '@limpet/state';
import { expect, test } from 'vitest';
import type { Config } from '../../../../src/config/resolved.ts';
import { FrontDesk } from '../../../../src/process/front_desk.ts';
import type { ToPrimary, ToWorker } from '../../../../src/process/wire.ts';
import { PrimaryLink } from '../../../../src/process/worker/primary_link.ts';
import type { Placed } from '../../../../src/route/placer.ts';
import { backend, server, status } from '../../route/backend.ts';

const STICK = { field: 'client_id', match: null, size: 10, expireMs: 60_000, cleanSessions: true } as const;
const config = {
  global: { name: 'lb1', maxconn: 100, workers: 1 },
  frontends: [],
  backends: [backend([server('a', { maxconn: 1 }), server('b', { maxconn: 1 })], { stick: STICK })],
} as unknown as Config;

/** Messages travel as text, as between processes. */
function scene() {
  const desk = new FrontDesk(config, { tell() {}, tellAll() {} });
  desk.update('emqx', [status('a'), status('b')]);
  const words: string[] = [];
  const link: PrimaryLink = new PrimaryLink(batch => {
    for (const message of JSON.parse(JSON.stringify(batch)) as ToPrimary[]) {
      words.push(message[0]);
      desk.said({ id: 7, say: answer => hear(JSON.parse(JSON.stringify(answer)) as ToWorker) }, message);
    }
  });
  const hear = (message: ToWorker): void => {
    if (message[0] === 'placed') {
      link.placed(message[1], { server: message[2], stick: message[3], displaced: message[4] });
    } else if (message[0] === 'nobody') link.placed(message[1], { server: null, why: message[2] });
    else if (message[0] === 'answer') link.answered(message[1], message[2]);
  };
  const place = (session: number, key: string): Promise<Placed> => {
    const placed = link.place({ session, backend: 'emqx', key, source: '192.0.2.9', exclude: [], want: null });
    link.flush();
    return placed;
  };
  const table = remoteTable(link.table('emqx'));
  const entry = (key: string) => desk.backends.get('emqx')?.table?.peek(key);
  return { desk, link, words, place, table, entry };
}

test('a session from its place to its end: three words, and the entry and the count are what they should be', async () => {
  const { desk, link, words, place, table, entry } = scene();
  expect(await place(1, 'k')).toEqual({ server: 'a', stick: 'claimed', displaced: null });
  expect([entry('k')?.state, desk.conns('emqx', 'a')]).toEqual(['pending', 1]);
  const pin = { key: 'k', server: 'a', by: { owner: 'lb1/7', epoch: 1 } };
  await table.confirm(pin);
  link.flush();
  expect(entry('k')).toMatchObject({ state: 'pinned', owner: 'lb1/7', epoch: 1, server: 'a' });
  await table.release(pin);
  link.free(1);
  link.flush();
  expect([entry('k')?.state, desk.conns('emqx', 'a')]).toEqual(['cooling', 0]);
  expect(words).toEqual(['place', 'pin', 'end']);
  expect(await place(2, 'k')).toEqual({ server: 'a', stick: 'held', displaced: null });
});

test('an entry that is let go of after its session was counted out, and another session that ends behind it', async () => {
  const { desk, link, words, place, table, entry } = scene();
  await place(1, 'k');
  await place(2, 'l');
  const pin = { key: 'k', server: 'a', by: { owner: 'lb1/7', epoch: 1 } };
  await table.confirm(pin);
  link.free(1);
  await table.release(pin);
  link.free(2);
  link.flush();
  expect(words.slice(2)).toEqual(['pin', 'free', 'unpin', 'free']);
  expect([entry('k')?.state, desk.conns('emqx', 'a'), desk.conns('emqx', 'b')]).toEqual(['cooling', 0, 0]);
});

test('who finds nobody is told why, and the rest of the table speaks as before', async () => {
  const { link, place, table, entry } = scene();
  await place(1, 'k');
  await place(2, 'l');
  expect(await place(3, 'm')).toEqual({ server: null, why: 'full' });
  await table.abandon('k', { owner: 'lb1/7', epoch: 1 }, null);
  const asked = table.get('l');
  link.flush();
  expect(await asked).toMatchObject({ key: 'l', server: 'b', state: 'pending' });
  expect(entry('k')).toBeNull();
});
