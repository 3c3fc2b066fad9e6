import { expect, test } from 'vitest';
import { availability, readiness } from '../../../../src/admin/http/readiness.ts';
import type { ServerFacts } from '../../../../src/admin/snapshot.ts';
import { backendFacts, frontendFacts, scopeFacts, serverFacts, snapshotFacts } from '../../../kit/admin_facts.ts';

const facts = snapshotFacts();

/** The backend `emqx` with one server that is so. */
function withServer(changes: Partial<ServerFacts>) {
  return snapshotFacts({
    frontends: [frontendFacts('mqtt', ['emqx'])],
    backends: [backendFacts('emqx', [serverFacts('emqx1', changes)])],
  });
}

test.each<Partial<ServerFacts>>([{}, { verdict: 'no_check' }, { suspect: true }, { backup: true }])(
  'with a server of %j it is ready',
  changes => {
    expect(readiness(withServer(changes))).toEqual({ ready: true, reasons: [] });
  },
);

test.each<Partial<ServerFacts>>([
  { verdict: 'down' },
  { admin: 'drain' },
  { admin: 'drain_new' },
  { admin: 'maint' },
  { address: null },
  { weight: 0 },
])('with no server but one of %j it is not', changes => {
  expect(readiness(withServer(changes))).toEqual({ ready: false, reasons: ['backend emqx has no usable server'] });
});

test('routed backends count, and those that no open frontend needs do not', () => {
  const down = backendFacts('other', [serverFacts('o1', { verdict: 'down' })]);
  const backends = [backendFacts('emqx', [serverFacts('emqx1')]), down];
  const routed = snapshotFacts({ backends });
  expect(readiness(routed).reasons).toEqual(['backend other has no usable server']);
  const frontends = [frontendFacts('mqtt', ['emqx']), { ...frontendFacts('b', ['other']), state: 'disabled' as const }];
  expect(readiness({ ...routed, frontends }).ready).toBe(true);
});

test('every reason is told', () => {
  const nobody = {
    ...scopeFacts(),
    name: 'lb1/1',
    pid: 1,
    state: 'draining' as const,
    startedAtMs: 0,
    loopDelayMaxMs: 0,
  };
  const stopping = { ...facts, info: { ...facts.info, stopping: true }, workers: [nobody], frontends: [] };
  expect(readiness(stopping).reasons).toEqual(['the proxy is stopping', 'no worker is ready', 'no frontend is open']);
});

test('of a pair only the active one is available, and the standby is told from one that is broken', () => {
  const standby = { ...facts, info: { ...facts.info, role: 'standby' as const } };
  expect(availability(facts)).toEqual({ ready: true, reasons: [] });
  expect(readiness(standby)).toEqual({ ready: true, reasons: [] });
  expect(availability(standby)).toEqual({ ready: false, reasons: ['standby'] });
  const stopping = { ...standby, info: { ...standby.info, stopping: true } };
  expect(availability(stopping).reasons).toEqual(['standby', 'the proxy is stopping']);
});
