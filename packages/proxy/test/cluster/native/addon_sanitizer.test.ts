/**
 * The whole addon under AddressSanitizer, in the real program: `addon/`, which needs Node, with `core/` below it. Short
 * sessions with every end that there is, sessions that are asked to leave, and those that a shutdown ends.
 */
import { expect, test } from 'vitest';
import { churn, startChurnBroker } from '../../kit/churn.ts';
import { configFor } from '../../kit/config.ts';
import { connectAll, ids } from '../../kit/crowd.ts';
import { makeDirectory } from '../../kit/directory.ts';
import type { LightClient } from '../../kit/light_client.ts';
import { runLimpet, startLimpet } from '../../kit/limpet.ts';
import { sanitizedProgram, sanitizerLibrary } from '../../kit/sanitized_program.ts';

const SESSIONS = 8_000;
const STAYING = 60;
/** The addon is built, too, where that has not been done. */
const LIMIT_MS = 600_000;

test(
  `P1, P8, P10: ${SESSIONS} sessions, an eviction and a shutdown by an addon under AddressSanitizer leave no report`,
  async ({ skip }) => {
    const library = await sanitizerLibrary();
    if (library === null) return skip('there is no g++ here, or no libasan');
    await using directory = await makeDirectory('sanitized');
    const { program, env, reports } = await sanitizedProgram(library, directory);
    await using broker = await startChurnBroker();
    await using other = await startChurnBroker();
    const socket = directory.file('limpet.sock');
    const global = { relay: 'native', runtime_api: [socket], hard_stop_after: '1s' };
    const config = configFor({ servers: [broker.port, other.port], workers: 2, global });
    await using limpet = await startLimpet(config, { program, env, readyMs: 60_000 });
    const workers = limpet.workers();
    // Old enough, at their end, for the relay's thread to have them.
    const staying = await Promise.all(
      ([4, 5] as const).map(version => connectAll(limpet.port('mqtt'), ids(`v${version}`, STAYING / 2), { version })),
    );
    const clients = staying.flatMap(crowd => crowd.clients);
    expect([reports(), clients.length]).toEqual([[], STAYING]);
    const failures = await churn(limpet.port('mqtt'), SESSIONS, () => reports().length > 0);
    expect([reports(), failures]).toEqual([[], []]);

    const drain = ['server', 'drain', 'brokers/b1', '--rate', '500/s', '--wait', '--socket', socket];
    await using draining = runLimpet(drain);
    expect((await draining.waitForExit(30_000)).code).toBe(0);
    const left = (): LightClient[] => clients.filter(({ isClosed }) => !isClosed);
    expect(left().length).toBeGreaterThan(0);
    expect(left().length).toBeLessThan(STAYING);
    await Promise.all(left().map(client => client.ping()));
    expect([reports(), limpet.workers()]).toEqual([[], workers]);

    const exit = await limpet.stop();
    expect([exit, reports()]).toEqual([{ code: 0, signal: null }, []]);
    expect(left()).toEqual([]);
  },
  LIMIT_MS,
);
