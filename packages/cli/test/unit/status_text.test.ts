import { describe, expect, it } from 'vitest';
import { backendFacts, serverFacts, snapshotFacts, TASK } from '../../../proxy/test/kit/admin_facts.ts';
import { PLAIN } from '../../src/output/paint.ts';
import { drainElsewhere } from '../../src/peers_text.ts';
import { serverState } from '../../src/server_state.ts';
import { rateText, statusLines } from '../../src/status_text.ts';
import { overviewOf } from './overview.ts';

describe('limpet status', () => {
  it('shows all that an operator asks first', () => {
    const lines = statusLines(overviewOf(snapshotFacts()), PLAIN);
    expect(lines.slice(0, 6)).toEqual([
      'limpet lb1 0.1.0: active, up 1 min, pid 42, Node.js v20.19.0',
      '  sessions       3 of 1,000 (most 5), 1/s new',
      '  workers        1 of 2 ready',
      '  store          redis',
      '  relay          native',
      '  configuration  /etc/limpet.yaml',
    ]);
    expect(lines.slice(8)).toEqual([
      'proxies',
      '  PROXY           ROLE         STATE   CONNECTIONS  VERSION  UP     LAST BEAT  VIP',
      '  lb1 (this one)  active       alive             3  0.1.0    1 min  -          10.0.0.100',
      '  lb2             was standby  silent            -  0.0.9    -      12 s ago   10.0.0.100',
      '',
      'frontend mqtt: *:1883 → emqx, other, 3 sessions, 1/s',
      '',
      'backend emqx: roundrobin, stick on client_id, 12 of 1,000 entries, 3 sessions',
      '  SERVER  STATE  SESSIONS  SHARE  RATE  WEIGHT  ADDRESS                        FOR    REASON',
      '  emqx1   UP            3   100%   1/s       1  emqx1.example:1883 (10.0.0.1)  1 min  Layer7 check passed',
      '  emqx2   DRAIN     3/100   100%   1/s       1  emqx2.example:1883 (10.0.0.1)  1 min  set by an operator',
      '',
      'backend other: roundrobin, not sticky, 3 sessions',
      '  SERVER  STATE     SESSIONS  SHARE  RATE  WEIGHT  ADDRESS                     FOR    REASON',
      '  o1      no check         3   100%   1/s       1  o1.example:1883 (10.0.0.1)  1 min  Layer7 check passed',
      '',
      'drain of emqx/emqx2: running, 10 of 30 asked to leave, 20 left, 200/s (task 7)',
    ]);
  });

  it('says nothing of other proxies where it is alone and has no virtual address', () => {
    const proxies = snapshotFacts().proxies.slice(0, 1);
    const alone = statusLines(overviewOf(snapshotFacts({ proxies: proxies.map(one => ({ ...one, vip: [] })) })), PLAIN);
    expect(alone).not.toContain('proxies');
    expect(statusLines(overviewOf(snapshotFacts({ proxies })), PLAIN)).toContain('proxies');
    const two = snapshotFacts().proxies.map(one => ({ ...one, vip: [] }));
    expect(statusLines(overviewOf(snapshotFacts({ proxies: two })), PLAIN)).toContain('proxies');
  });

  it('says since when it has its role, and escapes what others call themselves', () => {
    const facts = snapshotFacts();
    const [self, other] = facts.proxies;
    const info = { ...facts.info, role: 'standby' as const, roleSinceMs: facts.atMs - 7_500_000 };
    const proxies = [self, { ...other, name: 'lb2\u001b[2J', version: '1\n2' }] as typeof facts.proxies;
    const text = statusLines(overviewOf({ ...facts, info, proxies }), PLAIN).join('\n');
    expect(text).toContain('limpet lb1 0.1.0: standby for 2 h 5 min, up 1 min');
    expect(text).toContain('  lb2\\x1b[2J ');
    expect(text).toContain(' 1\\x0a2 ');
  });

  it('says which proxy could not take over', () => {
    const facts = snapshotFacts();
    const stateOf = (ready: boolean | null, state: 'alive' | 'silent' = 'alive'): string | undefined => {
      const proxies = facts.proxies.map(one => (one.self ? one : { ...one, state, ready }));
      return statusLines(overviewOf({ ...facts, proxies }), PLAIN).find(line => line.startsWith('  lb2 '));
    };
    expect(stateOf(false)).toMatch(/^ {2}lb2 +standby +not ready /);
    expect([stateOf(true), stateOf(null)].every(line => line?.includes(' alive '))).toBe(true);
    expect(stateOf(false, 'silent')).toMatch(/ was standby +silent /);
  });

  it('says where the sessions are that a drain on the standby does not find', () => {
    const [self, other] = overviewOf(snapshotFacts()).proxies;
    if (self === undefined || other === undefined) throw new Error('the facts have a pair');
    const standby = { ...self, role: 'standby' as const };
    const active = { ...other, role: 'active' as const, state: 'alive' as const, name: 'lb\u001b2', conns: 3041 };
    expect(drainElsewhere([standby, active])).toEqual([
      'this proxy is standby: the sessions are on lb\\x1b2 (it has 3,041 connections); drain there, too',
    ]);
    expect(drainElsewhere([standby, { ...active, conns: null }])[0]).not.toContain('(');
    const elsewhere = [
      { ...active, vip: [] },
      { ...active, state: 'silent' as const },
      { ...active, role: 'standby' as const },
    ];
    expect(drainElsewhere([standby, ...elsewhere])).toEqual([]);
    expect(drainElsewhere([self, active])).toEqual([]);
  });

  it('P9: tells of the process before this one, and of a failure on one line', () => {
    const facts = snapshotFacts();
    const info = {
      ...facts.info,
      lastReload: { atMs: 0, ok: false, summary: 'a.yaml:1:1: what\n    Do this.' },
      upgrade: {
        predecessorPid: 7,
        predecessorSessions: 1,
        successorPid: null,
        failure: { atMs: 0, reason: 'a\n  b' },
      },
    };
    const text = statusLines(overviewOf({ ...facts, info }), PLAIN).join('\n');
    expect(text).toContain('has replaced pid 7, which still holds 1 session\n');
    expect(text).toContain(': a.yaml:1:1: what; Do this. (refused)\n');
    expect(text).toContain(': a; b (failed)\n');
  });

  it('does not say how full a shared table is, for it does not know', () => {
    const stick = { field: 'client_id', size: 1000, expireMs: 60_000, shared: true, used: 2 };
    const backends = [{ ...backendFacts('x', []), stick }];
    const text = statusLines(overviewOf({ ...snapshotFacts(), backends }), PLAIN).join('\n');
    expect(text).toContain('stick on client_id, 2 entries seen here (shared table in Redis), ');
  });

  it('shows tasks that have ended for ten minutes', () => {
    const facts = snapshotFacts();
    const ended = (id: number, agoMs: number) => ({
      ...TASK,
      ...{ id, state: 'done' as const, left: 0, moved: 30, endedAtMs: facts.atMs - agoMs },
    });
    const lines = statusLines(overviewOf({ ...facts, tasks: [ended(1, 180_000), ended(2, 601_000)] }), PLAIN);
    expect(lines.at(-1)).toBe('drain of emqx/emqx2: done, 30 of 30 asked to leave, 0 left, ended 3 min ago (task 1)');
  });

  it.each([
    [200, '200/s'],
    [0.5, '0.50/s'],
    [1 / 60, '1/min'],
    [100 / 60, '100/min'],
    [1 / 3_600, '1/h'],
    [Math.PI, '3.14/s'],
  ])('shows the rate %d as %s', (rate, text) => {
    expect(rateText(rate)).toBe(text);
  });

  it.each([
    ['maint', 'up', 'set by an operator'],
    ['drain', 'down', 'set by an operator; Layer7 check passed'],
    ['ready', 'down', 'Layer7 check passed'],
  ] as const)('says who took a server out: %s, %s', (admin, verdict, reason) => {
    const server = serverFacts('b', { admin, verdict });
    const lines = statusLines(
      overviewOf({ ...snapshotFacts(), backends: [backendFacts('x', [server])], tasks: [] }),
      PLAIN,
    );
    expect(lines.at(-1)).toMatch(new RegExp(` {2}${reason}$`));
  });

  it('says what is wrong', () => {
    const facts = snapshotFacts();
    const info = {
      ...facts.info,
      ...{ storeReachable: false, stopping: true, queued: 3, role: 'standby' as const },
      lastReload: { atMs: 0, ok: false, summary: '2 problems' },
      upgrade: {
        predecessorPid: null,
        predecessorSessions: null,
        successorPid: 77,
        failure: { atMs: 0, reason: 'it ended: SIGKILL' },
      },
    } as const;
    const server = serverFacts('b', { address: null, weight: 0, weightConfigured: 5, backup: true, dynamic: true });
    const text = statusLines(overviewOf({ ...facts, info, backends: [backendFacts('x', [server])] }), PLAIN).join('\n');
    for (const words of [
      'standby, stopping, up',
      ', 3 waiting',
      'redis, which does not answer',
      '2 problems (refused)',
      'being replaced by pid 77',
      'it ended: SIGKILL (failed)',
      'UP, NOLB, backup, added',
      '0 (of 5)',
      'b.example:1883 (does not resolve)',
    ]) {
      expect(text).toContain(words);
    }
  });
});

describe('a server’s state', () => {
  it.each([
    ['ready', 'up', false, 1, 'UP'],
    ['ready', 'up', true, 1, 'UP, failing'],
    ['ready', 'up', false, 0, 'UP, NOLB'],
    ['ready', 'no_check', false, 1, 'no check'],
    ['ready', 'down', true, 1, 'DOWN'],
    ['drain', 'up', false, 1, 'DRAIN'],
    ['drain_new', 'up', false, 1, 'DRAIN NEW'],
    ['drain', 'down', false, 1, 'DRAIN, DOWN'],
    ['maint', 'down', false, 1, 'MAINT'],
  ] as const)('%s %s %s %d', (admin, verdict, suspect, weight, word) => {
    expect(serverState({ admin, verdict, suspect, weight }).word).toBe(word);
  });
});
