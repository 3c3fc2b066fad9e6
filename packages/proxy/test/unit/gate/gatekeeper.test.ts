import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BackendConfig, Config, FrontendConfig, PaceConfig } from '../../../src/config/resolved.ts';
import { asksToConnect, asksToEnter, type GateAnswer } from '../../../src/gate/gate_answer.ts';
import { Gatekeeper } from '../../../src/gate/gatekeeper.ts';
import { StillClock } from './clock.ts';

type Limits = Partial<Pick<FrontendConfig, 'perSource' | 'connRate' | 'connectRate'>>;
const NO_SOURCE_LIMITS = { maxconn: null, connRate: null, connectRate: null };

function frontend(limits: Limits, name = 'mqtt'): FrontendConfig {
  const none = { perSource: NO_SOURCE_LIMITS, connRate: null, connectRate: null };
  return { name, ...none, ...limits } as FrontendConfig;
}

function backend(connectRate: PaceConfig | null, name = 'emqx'): BackendConfig {
  return { name, connectRate } as BackendConfig;
}

/** A gatekeeper, and what sessions are answered. */
class Gate {
  readonly clock: StillClock = new StillClock(1000);
  readonly keeper: Gatekeeper;
  readonly answers = new Map<string, string[]>();

  constructor(limits: Limits, backendRate: PaceConfig | null = null) {
    const config = {
      global: { workers: 2 },
      frontends: [frontend(limits), frontend({}, 'free')],
      backends: [backend(backendRate), backend(null, 'other')],
    } as unknown as Config;
    this.keeper = new Gatekeeper(config, this.clock);
  }

  enter(worker: number, session: number, source = '192.0.2.1', name = 'mqtt'): string {
    this.keeper.enter({ worker, session }, { frontend: name, source }, answer => this.#heard(worker, session, answer));
    return this.last(worker, session);
  }

  connect(worker: number, session: number, source = '192.0.2.1', name = 'emqx'): string {
    const connecting = { frontend: 'mqtt', source, backend: name };
    this.keeper.connect({ worker, session }, connecting, answer => this.#heard(worker, session, answer));
    return this.last(worker, session);
  }

  leave(worker: number, session: number): void {
    this.keeper.leave({ worker, session });
  }

  last(worker: number, session: number): string {
    return this.answers.get(`${worker}/${session}`)?.at(-1) ?? 'waits';
  }

  #heard(worker: number, session: number, answer: GateAnswer): void {
    const key = `${worker}/${session}`;
    const said = answer.kind === 'refused' ? answer.reason : answer.kind;
    this.answers.set(key, [...(this.answers.get(key) ?? []), said]);
  }
}

function perSource(limits: Partial<FrontendConfig['perSource']>): Limits {
  return { perSource: { ...NO_SOURCE_LIMITS, ...limits } };
}

describe('limits of a source, over all workers', () => {
  test('maxconn is exact whichever worker it is, and given back by whoever leaves', () => {
    const gate = new Gate(perSource({ maxconn: 2 }));
    expect([gate.enter(1, 1), gate.enter(2, 1), gate.enter(2, 2)]).toEqual(['in', 'in', 'source_maxconn']);
    gate.leave(2, 2);
    expect(gate.enter(2, 3)).toBe('source_maxconn');
    gate.leave(1, 1);
    gate.leave(1, 1);
    expect([gate.enter(2, 4), gate.enter(2, 5)]).toEqual(['in', 'source_maxconn']);
    expect(gate.enter(2, 6, '192.0.2.1', 'free')).toBe('in');
  });

  test('P8: a dead worker’s connections are given back', () => {
    const gate = new Gate(perSource({ maxconn: 3 }));
    for (const session of [1, 2, 3]) gate.enter(1, session);
    expect(gate.enter(2, 1)).toBe('source_maxconn');
    gate.keeper.workerGone(1);
    gate.keeper.workerGone(1);
    gate.leave(1, 1);
    expect([2, 3, 4, 5].map(session => gate.enter(2, session))).toEqual(['in', 'in', 'in', 'source_maxconn']);
  });

  test('rates of connections and of CONNECTs', () => {
    const gate = new Gate(perSource({ connRate: 2, connectRate: 1 }));
    expect([1, 2, 3].map(session => gate.enter(1, session))).toEqual(['in', 'in', 'source_conn_rate']);
    expect([gate.connect(1, 1), gate.connect(2, 2)]).toEqual(['in', 'source_connect_rate']);
    gate.clock.advance(1000);
    expect([gate.connect(2, 2), gate.enter(2, 4)]).toEqual(['in', 'in']);
  });

  test('whatever comes, leaves and dies: never more than maxconn, and none is lost', () => {
    const step = fc.record({
      does: fc.constantFrom('enter', 'enter', 'enter', 'leave', 'die'),
      worker: fc.integer({ min: 1, max: 3 }),
      nth: fc.nat(20),
      source: fc.constantFrom('192.0.2.1', '::ffff:192.0.2.1', '2001:db8::1', '2001:db8::2'),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.array(step, { maxLength: 100 }), (maxconn, steps) => {
        const model = new Model(maxconn);
        for (const { does, worker, nth, source } of steps) {
          if (does === 'enter') model.enter(worker, source);
          else if (does === 'die') model.die(worker);
          else model.leave(nth);
        }
      }),
    );
  });
});

/** A gatekeeper with `source.maxconn`, and who must be inside. */
class Model {
  readonly #maxconn: number;
  readonly #gate: Gate;
  #open: { readonly worker: number; readonly session: number; readonly isV6: boolean }[] = [];
  #sessions = 0;

  constructor(maxconn: number) {
    this.#maxconn = maxconn;
    this.#gate = new Gate(perSource({ maxconn }));
  }

  enter(worker: number, source: string): void {
    this.#sessions += 1;
    const one = { worker, session: this.#sessions, isV6: source.startsWith('2001') };
    const isFull = this.#open.filter(({ isV6 }) => isV6 === one.isV6).length === this.#maxconn;
    expect(this.#gate.enter(worker, one.session, source)).toBe(isFull ? 'source_maxconn' : 'in');
    if (!isFull) this.#open.push(one);
  }

  leave(nth: number): void {
    const [gone] = this.#open.splice(nth % Math.max(1, this.#open.length), 1);
    if (gone !== undefined) this.#gate.leave(gone.worker, gone.session);
  }

  die(worker: number): void {
    this.#gate.keeper.workerGone(worker);
    this.#open = this.#open.filter(one => one.worker !== worker);
  }
}

describe('the pace of CONNECTs', () => {
  const pace: PaceConfig = { limit: 10, queue: 2, queueTimeoutMs: 150 };

  test('of a frontend: go, wait, too late, queue full', () => {
    const gate = new Gate({ connectRate: pace });
    expect([1, 2, 3, 4].map(session => gate.connect(1, session))).toEqual([
      'in',
      'waits',
      'waits',
      'frontend_queue_full',
    ]);
    gate.clock.advance(100);
    expect([2, 3].map(session => gate.last(1, session))).toEqual(['in', 'waits']);
    gate.clock.advance(50);
    expect(gate.last(1, 3)).toBe('frontend_queue_timeout');
  });

  test('of a backend, behind that of the frontend', () => {
    const gate = new Gate({ connectRate: { ...pace, limit: 1000, queue: 100 } }, pace);
    const all = [1, 2, 3, 4].map(session => gate.connect(1, session));
    expect(all).toEqual(['in', 'waits', 'waits', 'backend_queue_full']);
    expect(gate.connect(1, 5, '192.0.2.1', 'other')).toBe('in');
    gate.clock.advance(150);
    expect([2, 3].map(session => gate.last(1, session))).toEqual(['in', 'backend_queue_timeout']);
    expect(gate.keeper.waiting).toBe(0);
  });

  test('a source above its quota does not take a turn', () => {
    const gate = new Gate({ ...perSource({ connectRate: 1 }), connectRate: pace });
    expect(gate.connect(1, 1, 'a')).toBe('in');
    gate.clock.advance(100);
    expect(gate.connect(1, 2, 'a')).toBe('source_connect_rate');
    expect(gate.connect(1, 3, 'b')).toBe('in');
  });

  test('who leaves while waiting gives its place up, and is answered once', () => {
    const gate = new Gate({ connectRate: pace });
    for (const session of [1, 2, 3]) gate.connect(1, session);
    gate.leave(1, 2);
    expect(gate.keeper.waiting).toBe(1);
    gate.clock.advance(1000);
    expect([...gate.answers.values()]).toEqual([['in'], ['gone'], ['in']]);
  });

  test('P8: a dead worker’s places are free at once', () => {
    const gate = new Gate({ connectRate: pace });
    for (const session of [1, 2, 3]) gate.connect(1, session);
    gate.keeper.workerGone(1);
    expect(gate.keeper.waiting).toBe(0);
    expect(gate.connect(2, 1)).toBe('waits');
    gate.clock.advance(100);
    expect(gate.last(2, 1)).toBe('in');
    expect(gate.last(1, 2)).toBe('waits');
  });
});

describe('arrivals of a frontend', () => {
  test('conn_rate: those above it come in later, evenly', () => {
    const gate = new Gate({ connRate: 10 });
    for (let session = 1; session <= 4; session += 1) gate.enter(1 + (session % 2), session);
    const inside = (): number => [...gate.answers.values()].flat().filter(said => said === 'in').length;
    expect(inside()).toBe(1);
    gate.clock.advance(100);
    expect(inside()).toBe(2);
    gate.clock.advance(200);
    expect(inside()).toBe(4);
  });

  test('a connection that waits counts for its source, and no more when it leaves', () => {
    const gate = new Gate({ ...perSource({ maxconn: 1 }), connRate: 1 });
    gate.enter(1, 1, 'a');
    expect(gate.enter(1, 2, 'b')).toBe('waits');
    expect(gate.enter(1, 3, 'b')).toBe('source_maxconn');
    gate.leave(1, 2);
    expect(gate.enter(1, 4, 'b')).toBe('waits');
    gate.clock.advance(1000);
    expect([gate.last(1, 2), gate.last(1, 4)]).toEqual(['gone', 'in']);
    expect(gate.enter(1, 5, 'b')).toBe('source_maxconn');
  });
});

describe('workers ask only where something is limited', () => {
  const some: PaceConfig = { limit: 1, queue: 1, queueTimeoutMs: 1 };
  test.each([
    ['nothing', {}, null, false, false],
    ['conn_rate', { connRate: 1 }, null, true, false],
    ['source.maxconn', perSource({ maxconn: 1 }), null, true, false],
    ['source.conn_rate', perSource({ connRate: 1 }), null, true, false],
    ['source.connect_rate', perSource({ connectRate: 1 }), null, false, true],
    ['the frontend’s connect_rate', { connectRate: some }, null, false, true],
    ['the backend’s connect_rate', {}, some, false, true],
  ])('%s', (_what, limits, rate, enters, connects) => {
    expect(asksToEnter(frontend(limits))).toBe(enters);
    expect(asksToConnect(frontend(limits), backend(rate))).toBe(connects);
  });
});
