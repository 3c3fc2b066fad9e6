/** P1 for the first bytes of a client: whatever the fragments, the broker receives the same bytes, once and in order. */
import { describe, expect, test } from 'vitest';
import { accepts, connack, type ScriptedBroker, startBroker } from '../kit/broker.ts';
import { until } from '../kit/condition.ts';
import { configFor } from '../kit/config.ts';
import { cutAt, cutEvery, sendInPieces } from '../kit/cut.ts';
import { type Limpet, startLimpet } from '../kit/limpet.ts';
import { startMosquitto } from '../kit/mosquitto.ts';
import { connectRaw, type RawSocket } from '../kit/raw_socket.ts';
import { connectBytes, connectOfLength, field, hex, PIPELINED, userProperty } from '../unit/preread/connect_bytes.ts';

/** Level byte of each kind of CONNECT; 0x80 is the bridge bit. */
const VERSIONS: readonly (readonly [string, number])[] = [
  ['3.1', 3],
  ['3.1.1', 4],
  ['5.0', 5],
  ['3.1 bridge', 0x83],
  ['3.1.1 bridge', 0x84],
];
/** So many at once: the machine is small. */
const BATCH = 40;

/** SUBSCRIBE and PUBLISH as 5.0 has them, with their property sections. */
const PIPELINED_5 = Buffer.concat([
  hex('82 09 0001 00'),
  field('t/#'),
  hex('01 30 0d'),
  field('t/xyz'),
  hex('00'),
  Buffer.from('hello'),
]);

function pipelined(level: number): Buffer {
  return level === 5 ? PIPELINED_5 : PIPELINED;
}

/** A CONNECT with every field there is. */
function fullConnect(level: number, clientId: string): Buffer {
  const willProperties = level === 5 ? [Buffer.of(0)] : [];
  const properties = level === 5 ? Buffer.concat([Buffer.of(10), userProperty('a', 'bcde')]) : hex('00');
  const will = [...willProperties, field('will/topic'), field('gone')];
  return connectBytes({
    level,
    flags: 0xce,
    properties,
    payload: [field(clientId), ...will, field('user'), field('secret')],
  });
}

/** A CONNECT of 3.1.1 as long as it may be: every field has its 65,535 bytes. */
function longestConnect(): Buffer {
  const longest = field(Buffer.alloc(65_535, 'x'));
  return connectBytes({ level: 4, flags: 0xc6, payload: [longest, longest, longest, longest, longest] });
}

/** Sends each list of pieces as a client of its own, and expects a broker that got exactly these streams. */
async function expectSame(
  limpet: Limpet,
  broker: ScriptedBroker,
  level: number,
  lists: readonly (readonly Buffer[])[],
) {
  const before = broker.peers.length;
  const answer = connack(level & 0x7f, 0);
  for (let from = 0; from < lists.length; from += BATCH) {
    const clients = await sendInPieces(limpet.port('mqtt'), lists.slice(from, from + BATCH));
    for (const client of clients) expect(await client.waitForBytes(answer.length)).toEqual(answer);
    await leave(clients, broker);
  }
  const sent = lists.map(pieces => Buffer.concat(pieces).toString('latin1'));
  const received = broker.peers.slice(before).map(peer => peer.received().toString('latin1'));
  expect(received.length).toBe(sent.length);
  expect(received.sort()).toEqual(sent.sort());
}

/** The streams end, so nothing can come behind what is compared. */
async function leave(clients: readonly RawSocket[], broker: ScriptedBroker): Promise<void> {
  for (const client of clients) client.end();
  await until(() => broker.peers.every(peer => peer.ended), { what: 'the end of every stream at the broker' });
  for (const peer of broker.peers) peer.end();
  await Promise.all(clients.map(client => client.closed));
}

describe('a CONNECT with SUBSCRIBE and PUBLISH behind it', () => {
  test.each(VERSIONS)('P1: %s cut at every byte boundary', async (title, level) => {
    await using broker = await startBroker(accepts());
    await using limpet = await startLimpet(configFor({ servers: [broker.port] }));
    const whole = (id: number): Buffer =>
      Buffer.concat([fullConnect(level, `cut-${String(id).padStart(4, '0')}`), pipelined(level)]);
    const cuts = Array.from({ length: whole(0).length - 1 }, (_, index) => index + 1);
    await expectSame(
      limpet,
      broker,
      level,
      cuts.map(at => cutAt(whole(at), at)),
    );
    console.log(`${title}: ${cuts.length} cuts`);
  });

  test('P1: byte by byte, all versions', async () => {
    await using broker = await startBroker(accepts());
    await using limpet = await startLimpet(configFor({ servers: [broker.port] }));
    for (const [title, level] of VERSIONS) {
      const bytes = Buffer.concat([fullConnect(level, title.replaceAll(' ', '-')), pipelined(level)]);
      await expectSame(limpet, broker, level, [cutEvery(bytes, 1)]);
    }
  });

  test.each([3, 4, 5] as const)(
    'P1: level %i with remaining lengths at the borders of the length field',
    async level => {
      await using broker = await startBroker(accepts());
      await using limpet = await startLimpet(configFor({ servers: [broker.port] }));
      for (const length of [127, 128, 256, 16_383, 16_384]) {
        const bytes = Buffer.concat([connectOfLength(level, length), pipelined(level)]);
        const cuts = [0, 1, 2, 3, 4, 5, 12, bytes.length >> 1, length, bytes.length - 1];
        await expectSame(
          limpet,
          broker,
          level,
          cuts.map(at => cutAt(bytes, at)),
        );
      }
    },
  );

  test('P1: of 330 KB, in one piece, in pieces of 1,000 bytes and of 40,000', async () => {
    await using broker = await startBroker(accepts());
    // Some hundred pieces, each looked for in the kernel: that may take a slow machine longer than a client would have.
    const defaults = { timeout: { inspect: '1m' } };
    await using limpet = await startLimpet(configFor({ servers: [broker.port], defaults }));
    for (const [level, connect] of [
      [4, longestConnect()],
      [5, connectOfLength(5, 330_000)],
    ] as const) {
      const bytes = Buffer.concat([connect, pipelined(level)]);
      expect(bytes.length).toBeGreaterThan(327_000);
      await expectSame(limpet, broker, level, [[bytes], cutEvery(bytes, 40_000)]);
      await expectSame(limpet, broker, level, [cutEvery(bytes, 1000)]);
    }
  });

  test.each([3, 4, 5] as const)('P1: level %i is answered by a real broker as if sent to itself', async level => {
    await using mosquitto = await startMosquitto();
    await using limpet = await startLimpet(configFor({ servers: [mosquitto.port] }));
    const bytes = Buffer.concat([connectBytes({ level }), pipelined(level)]);
    const answers: Buffer[] = [];
    for (const port of [mosquitto.port, limpet.port('mqtt')]) {
      using client = await connectRaw(port);
      await client.write(bytes);
      // CONNACK, SUBACK, and the client's own `hello`.
      await until(() => client.received().includes('hello'), { what: 'the message' });
      answers.push(client.received());
    }
    expect(answers[1]).toEqual(answers[0]);
  });
});

test('P7: a remaining length of 2,097,151 is refused at its head, and the broker sees no connection', async () => {
  await using broker = await startBroker(accepts());
  await using limpet = await startLimpet(configFor({ servers: [broker.port] }));
  const head = hex('10 ffff7f');
  const cases: readonly (readonly [Buffer, Buffer])[] = [
    // The length alone is enough; without a version there is no answer.
    [head, Buffer.alloc(0)],
    [Buffer.concat([head, field('MQTT'), Buffer.of(4)]), Buffer.alloc(0)],
    [Buffer.concat([head, field('MQTT'), Buffer.of(5)]), connack(5, 0x95)],
  ];
  for (const [bytes, answer] of cases) {
    using client = await connectRaw(limpet.port('mqtt'));
    await client.write(bytes);
    await client.waitForEnd();
    expect(client.received()).toEqual(answer);
  }
  const refusals = () => limpet.events(event => event.event === 'refused');
  await until(() => refusals().length === cases.length, { what: 'a line in the log for each' });
  const line = { reason: 'too_large', detail: 'CONNECT of 2097155 bytes, max_connect_size is 524288' };
  expect(refusals()).toEqual(cases.map(() => expect.objectContaining(line)));
  expect(broker.peers).toHaveLength(0);
});
