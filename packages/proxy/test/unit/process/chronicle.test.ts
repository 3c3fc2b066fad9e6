import { memoryAdminStore } from '@limpet/state';
import { expect, test } from 'vitest';
import type { Config } from '../../../src/config/resolved.ts';
import { Chronicle, type ChroniclePremises } from '../../../src/process/chronicle.ts';
import { configOf } from '../config/scratch.ts';

const withServers = (servers: string): Config =>
  configOf(`
frontends: { mqtt: { bind: "127.0.0.1:1", default_backend: emqx } }
backends: { emqx: { servers: { ${servers} } } }
`);

test('what a server was is forgotten when a reload takes it away, and not before', async () => {
  let config = withServers('a: 10.0.0.1, b: 10.0.0.2');
  const admin = memoryAdminStore();
  const chronicle = new Chronicle({
    config: () => config,
    servers: { health: () => ({ verdict: 'up' }) },
    store: { admin },
    desk: {},
  } as unknown as ChroniclePremises);
  const words = (server: string): string[] => chronicle.history.changes('emqx', server).map(({ state }) => state);
  await admin.set('emqx', 'a', { state: 'maint', weight: null });
  await admin.set('emqx', 'b', { state: 'drain', weight: null });
  config = withServers('b: 10.0.0.2');
  const change = await chronicle.prepare(config);
  expect([words('a'), words('b')]).toEqual([['MAINT'], ['DRAIN']]);
  change.abort();
  expect(words('a')).toEqual(['MAINT']);
  change.commit();
  expect([words('a'), words('b')]).toEqual([[], ['DRAIN']]);
});
