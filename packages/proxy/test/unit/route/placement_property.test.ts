import { localTable, MemoryTable } from '@limpet/state';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Candidate, Placement } from '../../../src/route/placement.ts';
import { server } from './backend.ts';
import { Office, TIMES } from './office.ts';

const SERVERS = [server('a'), server('b', { maxconn: 2 }), server('c', { weight: 3 }), server('d', { backup: true })];
const KEYS = ['k0', 'k1', 'k2'];

/** What happens next to one of the sessions that are under way. */
const step = fc.record({
  what: fc.constantFrom('arrive', 'arrive', 'fail', 'fail', 'accept', 'accept', 'refuse', 'leave', 'fault', 'cure'),
  which: fc.nat(20),
});
const steps = fc.array(step, { maxLength: 60 });

interface Live {
  readonly number: number;
  readonly key: string;
  readonly placement: Placement;
  /** Null: nobody was there. */
  server: string | null;
  readonly tried: Set<string>;
  isAccepted: boolean;
}

/** Sessions of three keys that come, fail, are accepted, refused and leave, in any order. */
class Crowd {
  readonly office: Office;
  readonly #table: MemoryTable;
  readonly live: Live[] = [];
  /** key → the session that was accepted last. */
  readonly #accepted = new Map<string, Live>();
  readonly #down = new Set<string>();
  #numbers = 0;

  constructor(mode: 'memory' | 'shared') {
    const redis = new MemoryTable({ size: 100, times: TIMES, now: () => 0 });
    this.office = new Office({ servers: SERVERS, ...(mode === 'shared' ? { shared: localTable(redis) } : {}) });
    this.#table = mode === 'shared' ? redis : this.office.table;
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

  /** The ledger counts every session once, where it is; each key's last accepted session holds its entry. */
  check(): void {
    const expected = this.office.names.map(name => this.live.filter(({ server }) => server === name).length);
    expect(this.office.counts()).toEqual(expected);
    for (const [key, one] of this.#accepted) {
      const entry = this.#table.peek(key);
      const isOusted = entry?.state === 'pending' || (entry?.epoch ?? 0) > one.number;
      if (!isOusted) expect(entry).toMatchObject({ server: one.server, state: 'pinned', epoch: one.number });
    }
  }

  states(): (string | undefined)[] {
    return KEYS.map(key => this.#table.peek(key)?.state);
  }

  async #arrive(key: string): Promise<void> {
    this.#numbers += 1;
    const placement = this.office.session(this.#numbers, key);
    const one: Live = { number: this.#numbers, key, placement, server: null, tried: new Set(), isAccepted: false };
    this.live.push(one);
    await this.#next(one);
  }

  async #next(one: Live): Promise<void> {
    if (one.server !== null) one.tried.add(one.server);
    const candidate: Candidate = await one.placement.next();
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
    one.placement.release();
    this.live.splice(this.live.indexOf(one), 1);
    if (this.#accepted.get(one.key) === one) this.#accepted.delete(one.key);
  }

  #turn(name: string, what: 'fault' | 'cure'): void {
    this.office.set(name, { up: what === 'cure' });
    if (what === 'cure') this.#down.delete(name);
    else this.#down.add(name);
  }
}

describe.each(['memory', 'shared'] as const)('any number of sessions in any order, %s', mode => {
  test('P2, P5: distinct candidates that are up, counts that are right at every step, and no claim left behind', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async steps => {
        const crowd = new Crowd(mode);
        for (const { what, which } of steps) {
          await crowd.run(what, which);
          crowd.check();
        }
        await crowd.end();
        crowd.check();
        for (const state of crowd.states()) expect([undefined, 'cooling']).toContain(state);
        expect([...crowd.office.pins.batches(100)]).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});

test('a session that nobody accepts leaves its key as it was, whatever failed on the way', async () => {
  const home = fc.option(fc.constantFrom('a', 'b', 'c'));
  await fc.assert(
    fc.asyncProperty(fc.constantFrom('memory', 'shared'), home, fc.nat(5), async (mode, home, failures) => {
      const redis = new MemoryTable({ size: 100, times: TIMES, now: () => 0 });
      const office = new Office({ servers: SERVERS, ...(mode === 'shared' ? { shared: localTable(redis) } : {}) });
      const table = mode === 'shared' ? redis : office.table;
      const by = { owner: 'lb2/1', epoch: 1 };
      if (home !== null) table.confirm({ key: 'device', server: home, by });
      if (home !== null) table.release({ key: 'device', server: home, by });
      const session = office.session(1, 'device');
      for (let attempt = 0; attempt <= failures; attempt += 1) await session.next();
      session.abandoned();
      expect(table.peek('device')?.server ?? null).toBe(home);
      expect(table.peek('device')?.state ?? 'cooling').toBe('cooling');
      expect(office.counts()).toEqual([0, 0, 0, 0]);
    }),
  );
});
