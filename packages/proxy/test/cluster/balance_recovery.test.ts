import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Brokers, startBrokers, startCluster } from '../kit/cluster.ts';
import { connectAll, ids } from '../kit/crowd.ts';
import type { Limpet } from '../kit/limpet.ts';
import { transitions, waitForTransition } from '../kit/verdicts.ts';

const slowstartMs = 8000;
let brokers: Brokers;
let limpet: Limpet;
beforeAll(async () => {
  brokers = await startBrokers(4);
  const check = { inter: '200ms', fall: 2, rise: 1 };
  const address = (name: string): object => ({ address: brokers.address(name) });
  limpet = await startCluster({
    workers: 2,
    backends: {
      reserve: { check, servers: { b1: address('b1'), b2: address('b2'), b3: { ...address('b3'), backup: true } } },
      slow: {
        check,
        slowstart: `${slowstartMs}ms`,
        servers: { b1: address('b1'), b3: address('b3'), b4: address('b4') },
      },
    },
  });
});
afterAll(async () => {
  await limpet[Symbol.asyncDispose]();
  await brokers[Symbol.asyncDispose]();
});

async function arrive(backend: string, clientIds: readonly string[]): Promise<number[]> {
  await using crowd = await connectAll(limpet.port(backend), clientIds);
  expect(crowd.refused).toEqual([]);
  return brokers.shares(clientIds);
}

test('a backup is used only while all the others are down, and slow start gives a server back its share bit by bit', async () => {
  expect(await arrive('reserve', ids('before', 10))).toEqual([5, 5, 0, 0]);
  await brokers.get('b1').kill9();
  await waitForTransition(limpet, 'reserve/b1', 'DOWN');
  await waitForTransition(limpet, 'slow/b1', 'DOWN');
  expect(await arrive('reserve', ids('one-down', 10))).toEqual([0, 10, 0, 0]);
  await brokers.get('b2').kill9();
  await waitForTransition(limpet, 'reserve/b2', 'DOWN');
  expect(await arrive('reserve', ids('both-down', 10))).toEqual([0, 0, 10, 0]);

  await brokers.get('b1').restart();
  await waitForTransition(limpet, 'slow/b1', 'UP');
  await waitForTransition(limpet, 'reserve/b1', 'UP');
  const atMs = transitions(limpet, 'slow/b1').at(-1)?.atMs ?? 0;
  const [early = 0] = await arrive('slow', ids('warming', 30));
  expect(await arrive('reserve', ids('one-up', 10))).toEqual([10, 0, 0, 0]);
  // An equal share is 10. Its weight is a twentieth at first; the clients came within the first part of the slow start.
  expect(Date.now() - atMs).toBeLessThan(slowstartMs / 2);
  expect(early).toBeLessThanOrEqual(6);
  // The time is what is tested here: nothing tells when slow start is over.
  await limpet.process.waitUntil('the end of slow start', () => Date.now() - atMs > slowstartMs + 500, 20_000);
  const [late = 0, ...others] = await arrive('slow', ids('warm', 30));
  console.log(`slow start: ${early} of 30 at first, ${late} of 30 afterwards (others ${others})`);
  expect(late).toBeGreaterThanOrEqual(9);
  expect(late).toBeLessThanOrEqual(11);
});
