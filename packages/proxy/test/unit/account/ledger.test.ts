import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Ledger } from '../../../src/account/ledger.ts';

const WORKERS = 3;
const SERVERS = ['a', 'b', 'c'];

/** What the ledger should know: worker → session → server. */
type Model = Map<number, Map<number, string>>;

class Use implements fc.Command<Model, Ledger> {
  readonly worker: number;
  readonly session: number;
  readonly server: string;
  constructor(worker: number, session: number, server: string) {
    this.worker = worker;
    this.session = session;
    this.server = server;
  }
  check(): boolean {
    return true;
  }
  run(model: Model, ledger: Ledger): void {
    ledger.use(this.worker, this.session, 'emqx', this.server);
    const sessions = model.get(this.worker) ?? new Map<number, string>();
    model.set(this.worker, sessions.set(this.session, this.server));
    compare(model, ledger);
  }
  toString(): string {
    return `use(${this.worker}, ${this.session}, ${this.server})`;
  }
}

class Free implements fc.Command<Model, Ledger> {
  readonly worker: number;
  readonly session: number;
  constructor(worker: number, session: number) {
    this.worker = worker;
    this.session = session;
  }
  check(): boolean {
    return true;
  }
  run(model: Model, ledger: Ledger): void {
    ledger.free(this.worker, this.session);
    model.get(this.worker)?.delete(this.session);
    compare(model, ledger);
  }
  toString(): string {
    return `free(${this.worker}, ${this.session})`;
  }
}

class WorkerGone implements fc.Command<Model, Ledger> {
  readonly worker: number;
  constructor(worker: number) {
    this.worker = worker;
  }
  check(): boolean {
    return true;
  }
  run(model: Model, ledger: Ledger): void {
    expect(ledger.workerGone(this.worker)).toBe(model.get(this.worker)?.size ?? 0);
    model.delete(this.worker);
    compare(model, ledger);
  }
  toString(): string {
    return `workerGone(${this.worker})`;
  }
}

function compare(model: Model, ledger: Ledger): void {
  const used = [...model.values()].flatMap(sessions => [...sessions.values()]);
  for (const server of SERVERS) {
    expect(ledger.conns('emqx', server)).toBe(used.filter(one => one === server).length);
    for (let worker = 0; worker < WORKERS; worker += 1) {
      const its = [...(model.get(worker)?.values() ?? [])].filter(one => one === server).length;
      expect(ledger.connsOf(worker, 'emqx', server)).toBe(its);
    }
  }
}

test('P8, P12: the counts are right after any interleaving of use, free and the death of workers', () => {
  const worker = fc.nat(WORKERS - 1);
  const session = fc.nat(5);
  const commands = [
    fc.tuple(worker, session, fc.constantFrom(...SERVERS)).map(([w, s, server]) => new Use(w, s, server)),
    fc.tuple(worker, session).map(([w, s]) => new Free(w, s)),
    worker.map(w => new WorkerGone(w)),
  ];
  fc.assert(
    fc.property(fc.commands(commands, { maxCommands: 100 }), commands => {
      fc.modelRun(() => ({ model: new Map(), real: new Ledger() }), commands);
    }),
  );
});

test('servers of two backends with the same name are two servers', () => {
  const ledger = new Ledger();
  ledger.use(1, 1, 'emqx', 'a');
  ledger.use(1, 2, 'hive', 'a');
  ledger.free(1, 1);
  expect([ledger.conns('emqx', 'a'), ledger.conns('hive', 'a')]).toEqual([0, 1]);
});

test('P8: a session moves between backends with its one count', () => {
  const ledger = new Ledger();
  ledger.use(1, 1, 'emqx', 'a');
  ledger.use(1, 1, 'hive', 'b');
  expect([ledger.conns('emqx', 'a'), ledger.conns('hive', 'b')]).toEqual([0, 1]);
  expect(ledger.workerGone(1)).toBe(1);
  expect(ledger.conns('hive', 'b')).toBe(0);
});
