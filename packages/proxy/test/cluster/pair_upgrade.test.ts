import { readFileSync, symlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../kit/condition.ts';
import { connectAll, ids } from '../kit/crowd.ts';
import { Heirs } from '../kit/heirs.ts';
import { type Mosquitto, startMosquitto } from '../kit/mosquitto.ts';
import { type Mover, makeMover, type PairedConfig, pairedConfig, roleSaid, startPaired } from '../kit/pair.ts';

let mover: Mover;
let broker: Mosquitto;
beforeEach(async () => {
  [mover, broker] = await Promise.all([makeMover(), startMosquitto()]);
});
afterEach(async () => {
  await broker[Symbol.asyncDispose]();
  await mover[Symbol.asyncDispose]();
});

function configOf(vip: object = {}, global: object = {}): PairedConfig {
  return { vip, global, backends: { brokers: { servers: { b1: `127.0.0.1:${broker.port}` }, check: false } } };
}

function wordIn(path: string): string {
  return readFileSync(path, 'utf8').trim();
}

describe('an upgrade to another track file', () => {
  test('leaves 1 in the old one', async () => {
    await using limpet = await startPaired(mover, configOf());
    await using heirs = new Heirs(limpet);
    const other = `${mover.trackFile}.other`;
    limpet.writeConfig(pairedConfig(mover, configOf({ track_file: other })));
    await heirs.upgrade();
    await mover.turned('1');
    await until(() => wordIn(other) === '0', { what: 'the new file to say 0' });
  });

  test('or to none does, too', async () => {
    await using limpet = await startPaired(mover, configOf());
    await using heirs = new Heirs(limpet);
    limpet.writeConfig(pairedConfig(mover, configOf({}, { vip: undefined })));
    await heirs.upgrade();
    await mover.turned('1');
  });

  test('leaves it alone where it is the same one by another name', async () => {
    await using limpet = await startPaired(mover, configOf());
    await using heirs = new Heirs(limpet);
    const folder = `${mover.trackFile}.folder`;
    symlinkSync('.', folder);
    limpet.writeConfig(pairedConfig(mover, configOf({ track_file: `${folder}/track` })));
    const words = new Set<string>();
    const watching = setInterval(() => words.add(mover.track()), 1);
    await heirs.upgrade();
    await until(() => heirs.lines('predecessor_gone').length > 0, { what: 'the end of the old process' });
    await delay(200);
    clearInterval(watching);
    expect([...words]).toEqual(['0']);
  });
});

test('an upgrade soon after it became active goes on with the pace', async () => {
  // Of an interface of this host: it is active from the start.
  const paced = configOf({ address: '127.0.0.1', connect_rate: '100/s', connect_rate_for: '60s' });
  await using limpet = await startPaired(mover, paced);
  await roleSaid(limpet, 'active');
  await using heirs = new Heirs(limpet);
  await heirs.upgrade();
  const startMs = performance.now();
  await using crowd = await connectAll(limpet.port('mqtt'), ids('paced', 200));
  const tookMs = performance.now() - startMs;
  console.info(`200 clients at 100 a second came in ${Math.round(tookMs)} ms after an upgrade`);
  expect(crowd.refused).toEqual([]);
  expect(tookMs).toBeGreaterThan(1900);
});
