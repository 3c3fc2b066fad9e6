import { expect, test } from 'vitest';
import { Registry } from '../../../../src/account/registry.ts';
import type { SessionFacts } from '../../../../src/account/session_facts.ts';
import type { ToPrimary } from '../../../../src/process/wire.ts';
import type { PrimaryLink } from '../../../../src/process/worker/primary_link.ts';
import { SessionOrders } from '../../../../src/process/worker/session_orders.ts';
import type { LiveSession } from '../../../../src/workshop.ts';

test('P10: many sessions are told in parts, one a turn, each of them once', async () => {
  const registry = new Registry<LiveSession>();
  for (let id = 0; id < 1100; id += 1) {
    registry.add({ frontend: 'mqtt', facts: () => ({ id }) as SessionFacts } as unknown as LiveSession);
  }
  const said: ToPrimary[] = [];
  const link = { say: (message: ToPrimary) => said.push(message) } as unknown as PrimaryLink;
  const orders = new SessionOrders(registry, link, async () => {});
  const answered = orders.answer(7, { kind: 'list', filter: {}, limit: 1050 });
  await new Promise(resolve => setImmediate(resolve));
  expect(said.length).toBeLessThan(4);
  await answered;
  const sessions = said.map(([, , some]) => some as SessionFacts[]);
  expect(said.map(([word, call]) => `${word} ${call}`)).toEqual([...Array(4).fill('part 7'), 'told 7']);
  expect(sessions.map(({ length }) => length)).toEqual([250, 250, 250, 250, 50]);
  expect(new Set(sessions.flat().map(({ id }) => id)).size).toBe(1050);
});
