/** What moves the address of a pair with one Redis, and what does not; and each tells the other whether it could take over. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ScriptedBroker, startBroker } from '../kit/broker.ts';
import { until } from '../kit/condition.ts';
import type { Limpet, LogEvent } from '../kit/limpet.ts';
import { type Mover, makeMover, roleSaid, startPaired } from '../kit/pair.ts';
import { type RedisServer, startRedis } from '../kit/redis.ts';
import { proxiesOf, TwoProxies } from '../kit/two_proxies.ts';

let movers: readonly [Mover, Mover];
let redis: RedisServer;
beforeEach(async () => {
  movers = [await makeMover(), await makeMover()];
  redis = await startRedis();
});
afterEach(async () => {
  await redis[Symbol.asyncDispose]();
  await Promise.all(movers.map(mover => mover[Symbol.asyncDispose]()));
});

const inter = '100ms';

function isDown({ event, msg }: LogEvent): boolean {
  return event === 'health' && String(msg).includes('DOWN');
}

/** Both know each other, and the first is active. Each reaches the broker at a port of its own. */
async function startPair(brokers: readonly [ScriptedBroker, ScriptedBroker]): Promise<TwoProxies> {
  const start = (place: 0 | 1): Promise<Limpet> =>
    startPaired(movers[place], {
      global: { name: `lb${place + 1}`, workers: 1 },
      state: { store: 'redis', redis: { url: redis.url, timeout: '5s' } },
      backends: {
        mqtt: {
          servers: { b1: `127.0.0.1:${brokers[place].port}` },
          check: { type: 'tcp', inter, fastinter: inter, downinter: inter, fall: 1, rise: 1 },
        },
      },
      frontend: { default_backend: 'mqtt' },
    });
  const pair = new TwoProxies(await start(0), await start(1));
  await pair.know();
  movers[0].master();
  await roleSaid(pair.one, 'active');
  return pair;
}

/** All that either file says for so long. */
async function words(ms: number): Promise<readonly string[]> {
  const seen = new Set<string>();
  for (const endMs = performance.now() + ms; performance.now() < endMs; await delay(2)) {
    for (const mover of movers) seen.add(mover.track());
  }
  return [...seen];
}

function verdict(name: string, beginning: string): Promise<unknown> {
  const said = async (): Promise<boolean> =>
    (await redis.cli(['hget', `limpet:health:${name}`, 'mqtt/b1'])).startsWith(beginning);
  return until(said, { what: `${name} that says ${beginning}` });
}

async function readyOfOther(limpet: Limpet): Promise<unknown> {
  return (await proxiesOf(limpet)).find(({ self }) => !self)?.ready;
}

test.each(['drain', 'maint'])('an operator’s %s of the last broker moves nothing: it holds on both', async word => {
  await using broker = await startBroker();
  await using pair = await startPair([broker, broker]);
  const said = words(2500);
  await redis.cli(['hset', 'limpet:admin:mqtt', 'b1', word]);
  for (const name of ['lb1', 'lb2']) await verdict(name, `${word.toUpperCase()} `);
  expect(await said).toEqual(['0']);
  expect(await readyOfOther(pair.one)).toBe(true);
});

test('the last broker dies, and the two see it one after the other: nothing moves', async () => {
  await using ofOne = await startBroker();
  await using ofTwo = await startBroker();
  await using pair = await startPair([ofOne, ofTwo]);
  const said = words(3000);
  const ofOneGone = ofOne[Symbol.asyncDispose]();
  await pair.one.waitForEvent(isDown, 'its verdict');
  const startMs = performance.now();
  const ofTwoGone = ofTwo[Symbol.asyncDispose]();
  await pair.two.waitForEvent(isDown, 'its verdict');
  console.info(`the standby saw it ${Math.round(performance.now() - startMs)} ms after the active one`);
  await Promise.all([ofOneGone, ofTwoGone]);
  expect(await said).toEqual(['0']);
});

test('the broker of the active one alone is gone: it says so, once it has heard that the other one has it', async () => {
  await using ofOne = await startBroker();
  await using ofTwo = await startBroker();
  await using pair = await startPair([ofOne, ofTwo]);
  const gone = ofOne[Symbol.asyncDispose]();
  await pair.one.waitForEvent(isDown, 'its verdict');
  const ms = await movers[0].turned('1');
  console.info(`the active one said so ${Math.round(ms)} ms after its verdict`);
  expect(ms).toBeGreaterThan(200);
  await gone;
  expect(movers[1].track()).toBe('0');
  await until(async () => (await readyOfOther(pair.two)) === false, { what: 'lb1 that is not ready, seen by lb2' });
  expect(await redis.cli(['hget', 'limpet:proxies', 'lb1'])).toContain(' ready=no ');
});

test('a standby that could not take over is seen by the active one', async () => {
  await using ofOne = await startBroker();
  await using ofTwo = await startBroker();
  await using pair = await startPair([ofOne, ofTwo]);
  expect(await readyOfOther(pair.one)).toBe(true);
  await ofTwo[Symbol.asyncDispose]();
  await movers[1].turned('1');
  await until(async () => (await readyOfOther(pair.one)) === false, { what: 'lb2 that is not ready, seen by lb1' });
  expect(await words(1200)).toEqual(['0', '1']);
  expect(movers[0].track()).toBe('0');
});
