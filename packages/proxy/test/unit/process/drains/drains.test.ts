import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Ledger } from '../../../../src/account/ledger.ts';
import type { DrainRequest, RebalanceRequest } from '../../../../src/admin/control.ts';
import type { TaskFacts } from '../../../../src/admin/snapshot.ts';
import type { Algorithm } from '../../../../src/config/resolved.ts';
import { Drains } from '../../../../src/process/drains/drains.ts';
import type { ToWorker } from '../../../../src/process/wire.ts';
import { Scheduler, type ServerStatus } from '../../../../src/route/scheduler.ts';
import { backend, server, status } from '../../route/backend.ts';

const NAMES = ['a', 'b', 'c'];
const ASK = { key: null, source: '192.0.2.1', exclude: [] };

interface Session {
  readonly worker: number;
  readonly number: number;
  readonly server: string;
}

interface Leaving {
  readonly atMs: number;
  readonly session: Session;
}

/** A proxy of real ledger, scheduler and drains; workers answer in the same turn, clients come back after `awayMs`. */
class Operated {
  readonly ledger: Ledger = new Ledger();
  readonly scheduler: Scheduler;
  readonly drains: Drains;
  readonly sessions = new Set<Session>();
  readonly left: Leaving[] = [];
  readonly ended: TaskFacts[] = [];
  readonly workers: Set<number>;
  /** Sessions that cannot be asked: they are being dialled. */
  readonly dialling = new Set<Session>();
  awayMs = 200;
  /** Workers hold their answers back. */
  answersMs = 0;
  readonly #asked = new Set<Session>();
  config = backend(NAMES.map(name => server(name)));
  #numbers = 0;

  constructor({ workers = 3, balance = 'roundrobin' as Algorithm } = {}) {
    this.config = backend(this.config.servers, { balance });
    this.workers = new Set(Array.from({ length: workers }, (_, i) => i + 1));
    this.scheduler = new Scheduler(
      this.config,
      name => this.ledger.conns('emqx', name),
      () => performance.now(),
    );
    for (const name of NAMES) this.scheduler.update(status(name));
    this.drains = new Drains({
      workers: () => [...this.workers].map(id => ({ id, say: message => this.#hear(id, message) })),
      connsOf: (worker, backend, server) => this.ledger.connsOf(worker, backend, server),
      conns: (backend, server) => this.ledger.conns(backend, server),
      backend: name => (name === 'emqx' ? { config: this.config, statuses: this.scheduler.statuses() } : null),
      setEvening: (_backend, on) => this.scheduler.setEvening(on),
      ended: task => this.ended.push(task),
    });
  }

  set(name: string, over: Partial<ServerStatus>): void {
    this.scheduler.update(status(name, over));
  }

  connect(count: number, at: string | null = null): void {
    for (let i = 0; i < count; i += 1) {
      const server = at ?? this.scheduler.pick(ASK);
      if (server === null) return;
      const session = {
        worker: 1 + (Math.floor(this.#numbers / 3) % this.workers.size),
        number: ++this.#numbers,
        server,
      };
      this.sessions.add(session);
      this.ledger.use(session.worker, session.number, 'emqx', server);
    }
  }

  /** By itself. */
  leave(count: number, server: string): void {
    for (const session of [...this.sessions].filter(one => one.server === server).slice(0, count)) this.#free(session);
  }

  conns(): number[] {
    return NAMES.map(name => this.ledger.conns('emqx', name));
  }

  workerDies(worker: number): void {
    this.workers.delete(worker);
    for (const session of this.sessions) if (session.worker === worker) this.sessions.delete(session);
    this.ledger.workerGone(worker);
    this.drains.workerGone(worker);
  }

  drain(over: Partial<DrainRequest> = {}): TaskFacts {
    const task = this.drains.drain({ backend: 'emqx', server: 'a', rate: 500, until: 0, reason: 0x9c, ...over });
    this.set(over.server ?? 'a', { admin: 'drain' });
    return task;
  }

  rebalance(over: Partial<RebalanceRequest> = {}): TaskFacts {
    return this.drains.rebalance({ backend: 'emqx', rate: 500, threshold: 0.05, reason: 0x9c, ...over });
  }

  task(): TaskFacts | undefined {
    return this.drains.tasks().at(-1);
  }

  #hear(worker: number, message: ToWorker): void {
    if (message[0] !== 'evict') throw new Error(`unexpected ${message[0]}`);
    const [, backend, server, count] = message;
    const found = [...this.sessions].filter(one => one.worker === worker && one.server === server);
    const asked = found.filter(one => !this.dialling.has(one) && !this.#asked.has(one)).slice(0, count);
    for (const session of asked) this.#asked.add(session);
    const answer = (): void => {
      for (const session of asked) {
        this.#free(session);
        this.left.push({ atMs: performance.now(), session });
        setTimeout(() => this.connect(1), this.awayMs);
      }
      this.drains.evicted(worker, backend, server, asked.length);
    };
    if (this.answersMs === 0) answer();
    else setTimeout(answer, this.answersMs);
  }

  #free(session: Session): void {
    this.sessions.delete(session);
    this.ledger.free(session.worker, session.number);
  }
}

let proxies: Operated[] = [];
function proxy(options?: ConstructorParameters<typeof Operated>[0]): Operated {
  const made = new Operated(options);
  proxies.push(made);
  return made;
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  for (const one of proxies) one.drains.close();
  proxies = [];
  vi.useRealTimers();
});

describe('drain', () => {
  test('at its pace in every second, from all workers alike, until nobody is left; nobody lands on it again', () => {
    const one = proxy();
    one.connect(9000);
    expect(one.drain()).toMatchObject({ kind: 'drain', server: 'a', state: 'running', total: 3000, left: 3000 });
    vi.advanceTimersByTime(5500);
    for (let fromMs = one.left[0]?.atMs ?? 0; fromMs < (one.left.at(-1)?.atMs ?? 0) - 1000; fromMs += 37) {
      const found = one.left.filter(({ atMs }) => atMs >= fromMs && atMs < fromMs + 1000).length;
      expect([found >= 450, found <= 550]).toEqual([true, true]);
    }
    const parts = [1, 2, 3].map(id => one.left.filter(({ session }) => session.worker === id).length);
    expect(Math.max(...parts) - Math.min(...parts)).toBeLessThanOrEqual(5);
    vi.advanceTimersByTime(1500);
    expect(one.conns()).toEqual([0, 4500, 4500]);
    expect(one.ended).toMatchObject([{ state: 'done', moved: 3000, left: 0, total: 3000 }]);
  });

  test('--until: stops when so many are left, however late the workers answer', () => {
    const one = proxy();
    one.answersMs = 170;
    one.connect(300);
    expect(one.drain({ until: 40, rate: 1000 })).toMatchObject({ total: 60, left: 60 });
    vi.advanceTimersByTime(3000);
    expect(one.conns()[0]).toBe(40);
    expect(one.task()).toMatchObject({ state: 'done', moved: 60, left: 0 });
  });

  test('it counts on what is really left: those that leave by themselves need not be asked', () => {
    const one = proxy();
    one.connect(300);
    one.drain({ rate: 10 });
    vi.advanceTimersByTime(1000);
    one.leave(80, 'a');
    expect(one.task()).toMatchObject({ total: 100, moved: 10, left: 10, state: 'running' });
    vi.advanceTimersByTime(1100);
    expect(one.task()).toMatchObject({ state: 'done', moved: 20, left: 0 });
  });

  test('those that are still dialled are asked when they can be', () => {
    const one = proxy();
    one.connect(30);
    const [first] = [...one.sessions].filter(session => session.server === 'a');
    if (first !== undefined) one.dialling.add(first);
    one.drain();
    vi.advanceTimersByTime(2000);
    expect(one.task()).toMatchObject({ state: 'running', moved: 9, left: 1 });
    one.dialling.clear();
    vi.advanceTimersByTime(200);
    expect(one.task()).toMatchObject({ state: 'done', moved: 10, left: 0 });
  });

  test('without a rate nobody is asked; it ends when all have left', () => {
    const one = proxy();
    one.connect(30);
    expect(one.drain({ rate: null })).toMatchObject({ rate: 0, total: 10 });
    vi.advanceTimersByTime(60_000);
    expect(one.task()).toMatchObject({ state: 'running', moved: 0, left: 10 });
    one.leave(10, 'a');
    vi.advanceTimersByTime(100);
    expect(one.task()).toMatchObject({ state: 'done', moved: 0 });
  });

  test('paused, nobody is asked; resumed, nothing is caught up on; cancelled, it is over', () => {
    const one = proxy();
    one.connect(9000);
    const { id } = one.drain();
    vi.advanceTimersByTime(1000);
    expect(one.drains.pause(id).state).toBe('paused');
    const moved = one.left.length;
    vi.advanceTimersByTime(10_000);
    expect(one.left.length).toBe(moved);
    expect(one.drains.resume(id).state).toBe('running');
    vi.advanceTimersByTime(100);
    expect(one.left.length - moved).toBeLessThanOrEqual(50);
    expect(one.drains.cancel(id)).toMatchObject({ state: 'cancelled', left: 3000 - one.left.length });
    const asked = one.left.length;
    vi.advanceTimersByTime(10_000);
    expect([one.left.length, one.ended.length]).toEqual([asked, 1]);
  });

  test.each<[string, (one: Operated) => void]>([
    ['the server is ready again', one => one.set('a', { admin: 'ready' })],
    ['the operator says so', one => one.drains.leave('emqx', 'a')],
    ['a reload has removed the server', one => one.scheduler.reconfigure(backend([server('b'), server('c')]))],
    ['another one of the same server has begun', one => void one.drain({ rate: 1 })],
  ])('%s: it is cancelled', (_what, act) => {
    const one = proxy();
    one.connect(9000);
    const { id } = one.drain();
    vi.advanceTimersByTime(1000);
    act(one);
    vi.advanceTimersByTime(100);
    expect(one.drains.tasks().find(task => task.id === id)?.state).toBe('cancelled');
  });

  test('a reload that leaves the server alone does not touch it', () => {
    const one = proxy();
    one.connect(3000);
    one.drain();
    vi.advanceTimersByTime(1000);
    one.config = backend([...one.config.servers, server('d')]);
    one.scheduler.reconfigure(one.config);
    vi.advanceTimersByTime(2000);
    expect(one.task()).toMatchObject({ state: 'done', moved: 1000 });
  });

  test('P8: a worker that dies owes no answer', () => {
    const one = proxy();
    one.answersMs = 100_000;
    one.connect(300);
    one.drain();
    vi.advanceTimersByTime(1000);
    one.answersMs = 0;
    one.workerDies(1);
    one.workerDies(2);
    one.workerDies(3);
    vi.advanceTimersByTime(100);
    expect(one.task()).toMatchObject({ state: 'done', left: 0 });
  });
});

describe('rebalance', () => {
  test.each(['roundrobin', 'leastconn', 'random'] as const)(
    '%s: after a broker is back, all are even to the threshold, and hardly more than the surplus was asked',
    balance => {
      const one = proxy({ balance });
      one.connect(1500, 'b');
      one.connect(1500, 'c');
      expect(one.rebalance()).toMatchObject({ kind: 'rebalance', server: null, total: 900, left: 900 });
      vi.advanceTimersByTime(20_000);
      expect(one.task()).toMatchObject({ state: 'done', left: 0, moved: 900 });
      for (const conns of one.conns()) expect(conns).toBeLessThanOrEqual(1050);
      expect(one.conns().reduce((sum, conns) => sum + conns, 0)).toBe(3000);
    },
  );

  test('clients that are long on their way do not make it empty the others', () => {
    const one = proxy();
    one.awayMs = 25_000;
    one.connect(1500, 'b');
    one.connect(1500, 'c');
    one.rebalance({ rate: 5000 });
    vi.advanceTimersByTime(20_000);
    expect(one.conns()).toEqual([0, 1050, 1050]);
    expect(one.task()?.state).toBe('running');
    vi.advanceTimersByTime(10_000);
    expect(one.task()).toMatchObject({ state: 'done', moved: 900 });
    expect(one.conns()).toEqual([900, 1050, 1050]);
  });

  test('clients that never come back are not waited for', () => {
    const one = proxy();
    one.awayMs = 100_000;
    one.connect(30, 'b');
    one.rebalance();
    vi.advanceTimersByTime(32_000);
    expect(one.task()).toMatchObject({ state: 'done' });
  });

  test('nothing to do: done at once', () => {
    const one = proxy();
    one.connect(30);
    expect(one.rebalance()).toMatchObject({ total: 0, left: 0 });
    vi.advanceTimersByTime(100);
    expect(one.task()).toMatchObject({ state: 'done', moved: 0 });
  });

  test('the algorithm holds again behind it, and while it is paused', () => {
    const one = proxy();
    one.connect(30, 'b');
    const evening = vi.spyOn(one.scheduler, 'setEvening');
    const { id } = one.rebalance({ rate: 1 });
    one.drains.pause(id);
    one.drains.resume(id);
    one.drains.cancel(id);
    expect(evening.mock.calls.flat()).toEqual([true, false, true, false]);
  });
});

describe('what is refused', () => {
  test.each<[string, (one: Operated) => unknown]>([
    ['UNKNOWN_SERVER', one => one.drain({ server: 'x' })],
    ['UNKNOWN_SERVER', one => one.drain({ backend: 'x' })],
    ['BAD_VALUE', one => one.drain({ rate: 0 })],
    ['BAD_VALUE', one => one.drain({ rate: Number.NaN })],
    ['BAD_VALUE', one => one.drain({ until: -1 })],
    ['UNKNOWN_BACKEND', one => one.rebalance({ backend: 'x' })],
    ['BAD_VALUE', one => one.rebalance({ rate: -1 })],
    ['BAD_VALUE', one => one.rebalance({ threshold: -0.1 })],
    ['UNKNOWN_TASK', one => one.drains.cancel(7)],
  ])('%s', (code, act) => {
    const one = proxy();
    expect(() => act(one)).toThrow(expect.objectContaining({ code }));
    expect(one.drains.tasks()).toEqual([]);
  });

  test.each(['first', 'source', 'hash'] as const)(
    'rebalance of balance %s: the algorithm says who belongs where',
    balance => {
      expect(() => proxy({ balance }).rebalance()).toThrow(expect.objectContaining({ code: 'BAD_VALUE' }));
    },
  );

  test('one that has ended', () => {
    const one = proxy();
    const { id } = one.drain();
    vi.advanceTimersByTime(100);
    expect(() => one.drains.pause(id)).toThrow(expect.objectContaining({ code: 'TASK_ENDED' }));
  });
});

test('those that ended are kept for an hour, 100 at most', () => {
  const one = proxy();
  for (let i = 0; i < 150; i += 1) {
    one.drain();
    vi.advanceTimersByTime(100);
  }
  expect(one.drains.tasks().map(({ id }) => id)).toEqual(Array.from({ length: 100 }, (_, i) => i + 51));
  vi.advanceTimersByTime(3_600_000);
  expect(one.drains.tasks()).toEqual([]);
});

test('whatever leaves, dies and comes meanwhile: a drain ends with nobody left, and asks nobody twice', () => {
  const act = fc.constantFrom('leave', 'die', 'late', 'prompt', 'wait');
  fc.assert(
    fc.property(fc.array(act, { maxLength: 8 }), fc.nat(50), (acts, until) => {
      const one = proxy({ workers: 4 });
      one.connect(900);
      one.drain({ until });
      for (const what of acts) {
        vi.advanceTimersByTime(120);
        if (what === 'leave') one.leave(20, 'a');
        if (what === 'die') one.workerDies(Math.max(...one.workers));
        if (what === 'late') one.answersMs = 300;
        if (what === 'prompt') one.answersMs = 0;
      }
      vi.advanceTimersByTime(5000);
      expect(one.task()?.state).toBe('done');
      expect(one.conns()[0]).toBeLessThanOrEqual(until);
      expect(new Set(one.left.map(({ session }) => session)).size).toBe(one.left.length);
      one.drains.close();
    }),
    { numRuns: 40 },
  );
});
