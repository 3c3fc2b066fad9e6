import { expect, test } from 'vitest';
import type { BackendConfig, Config, StickConfig } from '../../../src/config/resolved.ts';
import { PlacedBackends } from '../../../src/process/placed_backends.ts';
import { backend, server, status } from '../route/backend.ts';

const STICK: StickConfig = { field: 'client_id', match: null, size: 10, expireMs: 60_000, cleanSessions: true };
const none = { conns: () => 0, load: () => 0 };
const by = { owner: 'lb/1', epoch: 1 };

function configOf(...backends: readonly BackendConfig[]): Config {
  return { backends } as unknown as Config;
}

const emqx = (over: Partial<BackendConfig> = {}): BackendConfig =>
  backend([server('a'), server('b')], { stick: STICK, ...over });

test('P2, P6: turns, entries and statuses are kept; a backend of another name begins anew', () => {
  const placed = new PlacedBackends(none);
  placed.reconfigure(configOf(emqx()));
  placed.update('emqx', [status('a'), status('b')]);
  const before = placed.byName.get('emqx');
  before?.table?.confirm({ key: 'k', server: 'a', by });
  const ask = { exclude: [], key: null, source: '' };
  const first = before?.scheduler.pick(ask);
  placed.reconfigure(configOf(emqx({ stick: { ...STICK, size: 20, expireMs: 1000 } }), backend([], { name: 'other' })));
  const after = placed.byName.get('emqx');
  expect([after?.scheduler, after?.table]).toEqual([before?.scheduler, before?.table]);
  expect(after?.table?.peek('k')).toMatchObject({ server: 'a', state: 'pinned' });
  expect(new Set([first, after?.scheduler.pick(ask)])).toEqual(new Set(['a', 'b']));
  expect(placed.byName.get('other')?.table).toBeNull();
});

test('a backend that is gone goes on while it has sessions, and is forgotten at a later reload', () => {
  let conns = 1;
  const placed = new PlacedBackends({ conns: () => conns, load: () => 9 });
  placed.reconfigure(configOf(emqx()));
  placed.update('emqx', [status('a'), status('b')]);
  placed.reconfigure(configOf());
  placed.reconfigure(configOf());
  expect(placed.byName.has('emqx')).toBe(true);
  conns = 0;
  placed.reconfigure(configOf());
  expect(placed.byName.has('emqx')).toBe(false);
});

test('without `stick` there is no table', () => {
  const placed = new PlacedBackends(none);
  placed.reconfigure(configOf(emqx()));
  placed.reconfigure(configOf(emqx({ stick: null })));
  expect(placed.byName.get('emqx')?.table).toBeNull();
});

test('schedulers count the sessions of all proxies', () => {
  const placed = new PlacedBackends({ conns: () => 0, load: (_, name) => (name === 'a' ? 5 : 3) });
  placed.reconfigure(configOf(emqx({ balance: 'leastconn' })));
  placed.update('emqx', [status('a'), status('b')]);
  const pick = (): string | null | undefined =>
    placed.byName.get('emqx')?.scheduler.pick({ exclude: [], key: null, source: '' });
  expect([pick(), pick(), pick()]).toEqual(['b', 'b', 'b']);
});
