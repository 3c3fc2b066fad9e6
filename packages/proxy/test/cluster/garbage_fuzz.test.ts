/** P7 and P1 by chance: whatever comes, a broker sees exactly the streams that begin with a legal CONNECT. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ConnectReader } from '../../src/preread/connect_reader.ts';
import { PrereadPool } from '../../src/preread_pool.ts';
import { accepts, type Script, type ScriptedBroker, startBroker } from '../kit/broker.ts';
import { until, within } from '../kit/condition.ts';
import { configFor } from '../kit/config.ts';
import { acceptedRaw } from '../kit/connects.ts';
import { startLimpet } from '../kit/limpet.ts';
import { connectRaw } from '../kit/raw_socket.ts';
import { connectBytes, field, hex, PIPELINED, varInt } from '../unit/preread/connect_bytes.ts';

const RUNS = 500;

const level = fc.constantFrom(3, 4, 5, 0x83, 0x84);
const legal = fc
  .record({
    level,
    id: fc.string({ minLength: 1, maxLength: 40 }),
    behind: fc.constantFrom(hex(''), PIPELINED, hex('c000')),
  })
  .map(({ level, id, behind }) =>
    Buffer.concat([
      connectBytes({
        level,
        flags: 0xc6,
        payload: [
          field(id),
          ...(level === 5 ? [hex('00')] : []),
          field('will'),
          field('x'),
          field('user'),
          field('pass'),
        ],
      }),
      behind,
    ]),
  );

/** A legal CONNECT with one byte changed, one removed, one added, or its end cut off. */
const damaged = fc
  .tuple(legal, fc.constantFrom('change', 'remove', 'add', 'cut'), fc.nat(), fc.nat(255))
  .map(([bytes, how, place, byte]) => {
    const at = place % bytes.length;
    const head = bytes.subarray(0, at);
    if (how === 'cut') return head;
    return Buffer.concat([
      head,
      how === 'remove' ? hex('') : Buffer.of(byte),
      bytes.subarray(how === 'add' ? at : at + 1),
    ]);
  });
const noise = fc.uint8Array({ maxLength: 400 }).map(bytes => Buffer.from(bytes));
/** A CONNECT that claims any length at all. */
const claimed = fc
  .tuple(fc.nat(268_435_455), noise)
  .map(([length, rest]) => Buffer.concat([hex('10'), varInt(length), rest]));
const stream = fc.oneof({ weight: 2, arbitrary: legal }, { weight: 5, arbitrary: damaged }, noise, claimed);
const cuts = fc.array(fc.nat(400), { maxLength: 4 });

/** Accepts, and leaves when the client does. */
const polite: Script = (peer, number) => {
  accepts()(peer, number);
  peer.socket.once('end', () => peer.end());
};

function isLegal(bytes: Buffer): boolean {
  if (bytes.length === 0) return false;
  const reader = new ConnectReader({ maxSizeBytes: 512 * 1024 }, new PrereadPool(1024 ** 2), () => undefined);
  return reader.push(bytes).kind === 'hello';
}

/** Sends the bytes in pieces and FIN; resolves when the proxy has ended the connection. */
async function send(port: number, bytes: Buffer, at: readonly number[]): Promise<void> {
  using client = await connectRaw(port);
  const borders = [0, ...at.map(place => Math.min(place, bytes.length)).sort((a, b) => a - b), bytes.length];
  for (const [index, border] of borders.entries()) {
    // A refusal may come while we still send.
    await client.write(bytes.subarray(border, borders[index + 1])).catch(() => undefined);
  }
  client.end();
  await within(client.closed, { what: `the end of a client that sent ${bytes.toString('hex')}` });
}

/** The broker has one more connection, which brought these bytes; or none more. */
async function expectReached(broker: ScriptedBroker, before: number, bytes: Buffer | null): Promise<void> {
  if (bytes !== null) {
    const peer = await broker.waitForPeer(before);
    await until(() => peer.ended, { what: 'the end of the stream at the broker' });
    expect(peer.received()).toEqual(bytes);
  }
  expect(broker.peers.length).toBe(bytes === null ? before : before + 1);
}

test('P7: fuzz: no worker dies, nothing is left unhandled, and only legal clients reach the broker, unchanged', async () => {
  await using broker = await startBroker(polite);
  await using limpet = await startLimpet(configFor({ servers: [broker.port], workers: 2 }));
  const workers = limpet.workers();
  const property = fc.asyncProperty(stream, cuts, async (bytes, at) => {
    const before = broker.peers.length;
    await send(limpet.port('mqtt'), bytes, at);
    await expectReached(broker, before, isLegal(bytes) ? bytes : null);
  });
  // Not shrunk: each step of it may wait for a deadline.
  await fc.assert(property, { numRuns: RUNS, endOnFailure: true });
  const reached = broker.peers.length;
  console.log(`${RUNS} streams: ${reached} reached the broker`);
  expect(reached).toBeGreaterThan(0);
  using client = await acceptedRaw(limpet.port('mqtt'), { clientId: 'good' });
  expect(client.ended).toBe(false);
  expect(workers).toHaveLength(2);
  expect(limpet.workers()).toEqual(workers);
  expect(limpet.process.lines.filter(line => line.stream === 'stderr')).toEqual([]);
  expect(limpet.events(event => event.level === 'error')).toEqual([]);
});
