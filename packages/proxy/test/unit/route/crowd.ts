/** Sessions in any order, and what must be true of the table and of the counts at every step. */
import { localTable, type StickTable } from '@limpet/state';
import fc from 'fast-check';
import { expect } from 'vitest';
import type { Candidate, Placement } from '../../../src/route/placement.ts';
import { server } from './backend.ts';
import { Office } from './office.ts';

export const SERVERS = [
  server('a'),
  server('b', { maxconn: 2 }),
  server('c', { weight: 3 }),
  server('d', { backup: true }),
];
const KEYS = ['k0', 'k1', 'k2'];

/** What happens next to one of the sessions that are under way. */
const step = fc.record({
  what: fc.constantFrom('arrive', 'arrive', 'fail', 'fail', 'accept', 'accept', 'refuse', 'leave', 'fault', 'cure'),
  which: fc.nat(20),
});
export const steps: fc.Arbitrary<readonly Step[]> = fc.array(step, { maxLength: 60 });

export interface Step {
  readonly what: string;
  readonly which: number;
}

interface Live {
  readonly number: number;
  readonly key: string;
  readonly placement: Placement;
  /** Null: nobody was there. */
  server: string | null;
  readonly tried: Set<string>;
  isAccepted: boolean;
}

/** Numbers of sessions are used once, as in a worker. */
let numbers = 0;

/** Sessions of three keys that come, fail, are accepted, refused and leave, in any order. */
export class Crowd {
  readonly office: Office;
  readonly #table: Settling;
  readonly live: Live[] = [];
  /** key → the session that was accepted last. */
  readonly #accepted = new Map<string, Live>();
  readonly #down = new Set<string>();

  /** `shared`: the table that all proxies share; absent: the primary's own. */
  constructor(shared: StickTable | null) {
    const settling = shared === null ? null : new Settling(shared);
    this.office = new Office({ servers: SERVERS, ...(settling === null ? {} : { shared: settling.table }) });
    this.#table = settling ?? new Settling(localTable(this.office.table));
  }

  async run(what: string, which: number): Promise<void> {
    const waiting = this.live.filter(({ isAccepted }) => !isAccepted);
    const served = this.live.filter(({ isAccepted }) => isAccepted);
    if (what === 'arrive') await this.#arrive(KEYS[which % KEYS.length] ?? '');
    else if (what === 'fault' || what === 'cure') this.#turn(SERVERS[which % SERVERS.length]?.name ?? '', what);
    else if (what === 'leave') this.#leave(served[which % served.length]);
    else {
      const one = waiting[which % waiting.length];
      if (one === undefined) return;
      if (what === 'fail') await this.#next(one);
      else if (what === 'refuse' || one.server === null) this.#refuse(one);
      else this.#accept(one);
    }
  }

  async end(): Promise<void> {
    for (const one of [...this.live]) {
      if (one.isAccepted) this.#leave(one);
      else this.#refuse(one);
    }
  }

  /**
   * The ledger counts every session once, where it is; each key's last accepted session holds its entry. A session that
   * was refused has given the key back to that session's server: the next renewal pins it again.
   */
  async check(): Promise<void> {
    const { table } = this.#table;
    await this.#table.settled();
    const expected = this.office.names.map(name => this.live.filter(({ server }) => server === name).length);
    expect(this.office.counts()).toEqual(expected);
    for (const [key, one] of this.#accepted) {
      const entry = await table.get(key);
      if (entry?.state === 'pending') continue;
      expect(entry).toMatchObject({ server: one.server });
      if (entry?.state === 'cooling') await table.renew([...this.office.pins.batches(100)].flat());
      expect(await table.get(key)).toMatchObject({ server: one.server, state: 'pinned', epoch: one.number });
    }
  }

  /** When everybody has left: what is left of their keys. */
  async states(): Promise<(string | undefined)[]> {
    await this.#table.settled();
    return Promise.all(KEYS.map(async key => (await this.#table.table.get(key))?.state));
  }

  async #arrive(key: string): Promise<void> {
    numbers += 1;
    const placement = this.office.session(numbers, key);
    const one: Live = { number: numbers, key, placement, server: null, tried: new Set(), isAccepted: false };
    this.live.push(one);
    await this.#next(one);
  }

  async #next(one: Live): Promise<void> {
    if (one.server !== null) one.tried.add(one.server);
    const candidate: Candidate = await one.placement.next(true);
    if (candidate.kind === 'nobody') {
      this.#refuse(one);
      return;
    }
    const { server } = candidate.choice;
    expect(one.tried).not.toContain(server);
    expect(this.#down).not.toContain(server);
    one.server = server;
  }

  #accept(one: Live): void {
    one.placement.accepted(null);
    one.isAccepted = true;
    this.#accepted.set(one.key, one);
  }

  #refuse(one: Live): void {
    one.placement.abandoned();
    this.live.splice(this.live.indexOf(one), 1);
  }

  #leave(one: Live | undefined): void {
    if (one === undefined) return;
    one.placement.stay.release();
    this.live.splice(this.live.indexOf(one), 1);
    if (this.#accepted.get(one.key) === one) this.#accepted.delete(one.key);
  }

  #turn(name: string, what: 'fault' | 'cure'): void {
    this.office.set(name, { up: what === 'cure' });
    if (what === 'cure') this.#down.delete(name);
    else this.#down.add(name);
  }
}

/** A table that can be waited for: nobody waits for confirmations and releases but a test. */
class Settling {
  readonly table: StickTable;
  readonly #running = new Set<Promise<unknown>>();

  constructor(table: StickTable) {
    this.table = {
      claim: request => this.#run(table.claim(request)),
      confirm: pin => this.#run(table.confirm(pin)),
      abandon: (key, by, displaced) => this.#run(table.abandon(key, by, displaced)),
      release: pin => this.#run(table.release(pin)),
      forget: pin => this.#run(table.forget(pin)),
      renew: pins => this.#run(table.renew(pins)),
      get: key => table.get(key),
      close: () => table.close(),
    };
  }

  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }

  #run<T>(call: Promise<T>): Promise<T> {
    this.#running.add(call);
    const done = (): unknown => this.#running.delete(call);
    call.then(done, done);
    return call;
  }
}
