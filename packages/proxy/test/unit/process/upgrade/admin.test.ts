import { type AdminRecord, type AdminStore, memoryAdminStore, type ServerWord } from '@limpet/state';
import { expect, test } from 'vitest';
import type { Config } from '../../../../src/config/resolved.ts';
import { AdminExchange } from '../../../../src/process/upgrade/admin.ts';

const MAINT: AdminRecord = { state: 'maint', weight: null };
const DRAIN: AdminRecord = { state: 'drain', weight: null };

/** An exchange of a process with that store, what it has told, and what its store was told. */
function exchange(
  store: 'memory' | 'redis',
  unwritten: readonly ServerWord[] = [],
): { made: AdminExchange; memory: AdminStore; told: (readonly [string, string, string, boolean])[]; heard: unknown[] } {
  const config = { state: { store }, backends: [{ name: 'emqx', servers: [{ name: 'b1' }, { name: 'b2' }] }] };
  const told: (readonly [string, string, string, boolean])[] = [];
  const heard: unknown[] = [];
  const memory = memoryAdminStore();
  const admin = {
    ...memory,
    unwritten: () => unwritten,
    set: async (...word: readonly [string, string, AdminRecord]) => {
      heard.push(['set', ...word]);
      await memory.set(...word);
    },
    assume: (...word: readonly [string, string, AdminRecord]) => {
      heard.push(['assume', ...word]);
      memory.assume(...word);
    },
  };
  const made = new AdminExchange(
    admin,
    () => config as unknown as Config,
    (to, [, backend, server, { state }, isUnwritten]) => told.push([to, `${backend}/${server}`, state, isUnwritten]),
  );
  return { made, memory, told, heard };
}

test('what the shared store has not been told is handed over as such, also of servers that are gone', () => {
  const { made } = exchange('redis', [{ backend: 'emqx', server: 'gone', record: DRAIN }]);
  expect(made.words().map(([, , server, { state }, isUnwritten]) => [server, state, isUnwritten])).toEqual([
    ['b1', 'ready', false],
    ['b2', 'ready', false],
    ['gone', 'drain', true],
  ]);
});

test('the new process writes what the old one could not, and takes the rest on trust', () => {
  const { made, heard } = exchange('redis');
  made.said(['admin', 'emqx', 'b1', MAINT, false], 'predecessor');
  made.said(['admin', 'emqx', 'b2', DRAIN, true], 'predecessor');
  expect(heard).toEqual([
    ['assume', 'emqx', 'b1', MAINT],
    ['set', 'emqx', 'b2', DRAIN],
  ]);
});

test('a word that cannot be written goes to the new process; one that can be read there does not', async () => {
  const away = exchange('redis', [{ backend: 'emqx', server: 'b1', record: MAINT }]);
  await away.memory.set('emqx', 'b1', MAINT);
  expect(away.told).toEqual([['successor', 'emqx/b1', 'maint', true]]);
  const there = exchange('redis');
  await there.memory.set('emqx', 'b1', MAINT);
  expect(there.told).toEqual([]);
});

test('without a shared store both neighbours are told, but not whom it came from', async () => {
  const { made, memory, told } = exchange('memory');
  await memory.set('emqx', 'b1', MAINT);
  expect(told.filter(([, server]) => server === 'emqx/b1')).toEqual([
    ['predecessor', 'emqx/b1', 'maint', false],
    ['successor', 'emqx/b1', 'maint', false],
  ]);
  told.length = 0;
  made.said(['admin', 'emqx', 'b1', DRAIN, false], 'successor');
  expect(told.map(([to]) => to)).toEqual(['predecessor', 'predecessor']);
});
