import { expect, test } from 'vitest';
import type { Config } from '../../../../src/config/resolved.ts';
import { type Evidence, Judge } from '../../../../src/process/pair/judge.ts';
import { status } from '../../route/backend.ts';

const READY = { ready: true, trouble: '' };

/** One open frontend, whose one server is in maintenance. */
function evidence(isPair: boolean, over: Partial<Evidence> = {}): Evidence {
  const frontend = { name: 'mqtt', binds: [{}], defaultBackend: 'emqx', routes: [], sniRoutes: [] };
  const config = { global: { vip: isPair ? {} : null }, frontends: [frontend] } as unknown as Config;
  return {
    config: () => config,
    statuses: () => [status('a', { admin: 'maint' })],
    isShared: true,
    isStopping: () => false,
    hasWorker: () => true,
    mates: () => [],
    ...over,
  };
}

test('an operator’s word counts where it is this proxy’s alone', () => {
  expect(new Judge(evidence(true)).judge()).toEqual(READY);
  // The other one of the pair has not heard it.
  const mates = () => [{ heardAgoMs: 0, sees: () => true }];
  expect(new Judge(evidence(true, { isShared: false, mates })).judge()).toMatchObject({ ready: false });
  expect(new Judge(evidence(false)).judge()).toMatchObject({ ready: false });
});

test('without a pair nobody else is asked for', () => {
  expect(new Judge(evidence(false, { mates: () => expect.unreachable() })).judge()).toMatchObject({ ready: false });
});

test.each<Partial<Evidence>>([{ isStopping: () => true }, { hasWorker: () => false }])(
  'one that stops, or has no worker, is not ready, whatever its servers are',
  over => {
    expect(new Judge(evidence(true, over)).judge().ready).toBe(false);
  },
);
