import { expect, test } from 'vitest';
import type { SessionFacts, SessionFilter } from '../../../src/account/session_facts.ts';
import { compileFilter } from '../../../src/account/session_filter.ts';
import { endSessions, listSessions } from '../../../src/account/session_search.ts';
import type { StopReason } from '../../../src/stages.ts';

const FACTS: SessionFacts = {
  ...{ worker: 'lb1/2', id: 7, frontend: 'mqtt', bind: '*:1883', client: '192.0.2.7:50123', clientId: 'device' },
  ...{ username: null, version: '5.0', tls: null, websocket: false, stage: 'relay', backend: 'emqx', server: 'emqx1' },
  ...{ how: 'sticky', retries: 0, acceptedAtMs: 1, linkedAtMs: 2, bytesIn: 0, bytesOut: 0, keepAliveS: 60 },
};

test.each<[SessionFilter, Partial<SessionFacts>, boolean]>([
  [{}, {}, true],
  [{ clientId: 'device' }, {}, true],
  [{ clientId: 'Device' }, {}, false],
  [{ clientId: 'device' }, { clientId: null }, false],
  [{ worker: 'lb1/2', id: 7 }, {}, true],
  [{ worker: 'lb1/1', id: 7 }, {}, false],
  [{ frontend: 'mqtt', backend: 'emqx', server: 'emqx1' }, {}, true],
  [{ frontend: 'mqtt', backend: 'emqx', server: 'emqx2' }, {}, false],
  [{ backend: 'emqx' }, { backend: null }, false],
  [{ source: '192.0.2.7' }, {}, true],
  [{ source: '192.0.2.70' }, {}, false],
  [{ source: '2001:DB8:0::7' }, { client: '[2001:db8::7]:1' }, true],
  [{ source: '2001:db8::8' }, { client: '[2001:db8::7]:1' }, false],
])('the filter %j on %j says %s', (filter, over, expected) => {
  expect(compileFilter(filter)({ ...FACTS, ...over })).toBe(expected);
});

/** Sessions that end when they are stopped, or when somebody else looks. */
function crowd(count: number) {
  const open = new Set<Live>();
  class Live {
    readonly id: number;
    constructor(id: number) {
      this.id = id;
    }
    facts(): SessionFacts {
      return { ...FACTS, id: this.id, server: this.id % 2 === 0 ? 'emqx1' : 'emqx2' };
    }
    stop(reason: StopReason): void {
      expect(reason).toBe('killed');
      open.delete(this);
    }
  }
  for (let id = 0; id < count; id++) open.add(new Live(id));
  return { open, searched: { all: () => [...open], has: (one: Live) => open.has(one) } };
}

test('a list has those that match, and no more than were asked for', async () => {
  const { searched } = crowd(10);
  const ids = (await listSessions(searched, { server: 'emqx2' }, 3)).map(({ id }) => id);
  expect(ids).toEqual([1, 3, 5]);
  expect(await listSessions(searched, {}, 0)).toEqual([]);
  expect(await listSessions(searched, { server: 'emqx1' }, 100)).toHaveLength(5);
});

test('those that match are ended, and counted', async () => {
  const { open, searched } = crowd(10);
  expect(await endSessions(searched, { server: 'emqx1' })).toBe(5);
  expect([...open].map(({ id }) => id)).toEqual([1, 3, 5, 7, 9]);
});

test('the event loop goes on while many sessions are looked at, and who ends meanwhile is left out', async () => {
  const { open, searched } = crowd(300_000);
  let turns = 0;
  let isOver = false;
  const look = (): void => {
    turns += 1;
    for (const session of open) if (session.id >= 299_990) open.delete(session);
    if (!isOver) setImmediate(look);
  };
  const listing = listSessions(searched, { clientId: 'device' }, 1_000_000);
  setImmediate(look);
  const listed = await listing;
  isOver = true;
  expect(turns).toBeGreaterThan(3);
  expect(listed).toHaveLength(299_990);
});
