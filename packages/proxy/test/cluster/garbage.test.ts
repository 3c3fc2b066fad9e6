/** P7: bad input gets a clear end within its deadline, and reaches no broker. */
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { accepts, connack, startBroker } from '../kit/broker.ts';
import { until, within } from '../kit/condition.ts';
import { configFor } from '../kit/config.ts';
import { acceptedRaw, connectFor } from '../kit/connects.ts';
import { type LogEvent, startLimpet } from '../kit/limpet.ts';
import { connectRaw, type RawSocket } from '../kit/raw_socket.ts';
import { connectBytes, field, hex } from '../unit/preread/connect_bytes.ts';

const NOTHING = Buffer.alloc(0);
const connack3 = (code: number): Buffer => connack(4, code);
const connack5 = (code: number): Buffer => connack(5, code);
const isRefusal = (event: LogEvent): boolean => event.event === 'refused';

/** Bytes whose first ones are enough to refuse them: reason in the log, and what the client is told. */
const REFUSED: readonly (readonly [string, Buffer, string, Buffer])[] = [
  ['random bytes', hex('d3 9b 00 12 ff fe 71 e0 55 aa'), 'not_mqtt', NOTHING],
  ['a TLS hello', hex('16 0301 0200 0100 01fc 0303'), 'tls_on_plain_port', NOTHING],
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: broker\r\n\r\n'), 'http', NOTHING],
  ['PROXY v1', Buffer.from('PROXY TCP4 192.0.2.1 192.0.2.2 1 1883\r\n'), 'proxy_header', NOTHING],
  ['PINGREQ', hex('c000'), 'other_packet', NOTHING],
  ['a PUBLISH before any CONNECT', hex('30 05 0001 61 6869'), 'other_packet', NOTHING],
  ['reserved flags', hex('11 0d 0004 4d515454 04 02 003c 0001 61'), 'malformed', NOTHING],
  ['a fifth byte of length', hex('10 ffffffff 01'), 'malformed', NOTHING],
  ['a length of 256 MB', hex('10 ffffff7f'), 'too_large', NOTHING],
  ['`mqtt` in lower case', connectBytes({ level: 4, name: 'mqtt' }), 'bad_protocol_name', NOTHING],
  ['level 6', connectBytes({ level: 6, name: 'MQTT' }), 'unacceptable_version', connack5(0x84)],
  ['level 2', connectBytes({ level: 2, name: 'MQTT' }), 'unacceptable_version', connack3(0x01)],
  ['3.1.1 with a reserved flag', connectBytes({ level: 4, flags: 0x03 }), 'malformed', NOTHING],
  ['5.0 with a reserved flag', connectBytes({ level: 5, flags: 0x03 }), 'malformed', connack5(0x81)],
  [
    '3.1.1, empty id, clean session 0',
    connectBytes({ level: 4, flags: 0, payload: [field('')] }),
    'identifier_rejected',
    connack3(0x02),
  ],
  ['an id that is not UTF-8', connectBytes({ level: 5, payload: [field(hex('c328'))] }), 'malformed', connack5(0x81)],
  ['an id with U+0000', connectBytes({ level: 5, payload: [field('a\0b')] }), 'malformed', connack5(0x81)],
  ['an id longer than its packet', connectBytes({ level: 5, payload: [hex('00ff 61')] }), 'malformed', connack5(0x81)],
];

test('P7: what is no legal CONNECT is named in the log, answered in its own version, and reaches no broker', async () => {
  await using broker = await startBroker(accepts());
  await using limpet = await startLimpet(configFor({ servers: [broker.port] }));
  const workers = limpet.workers();
  for (const [what, bytes, reason, answer] of REFUSED) {
    using client = await connectRaw(limpet.port('mqtt'));
    await client.write(bytes);
    await client.waitForEnd();
    expect(client.received(), what).toEqual(answer);
    const port = client.socket.localPort;
    const line = await limpet.waitForEvent(event => isRefusal(event) && event.client === `127.0.0.1:${port}`, what);
    expect(line, what).toMatchObject({ level: 'warn', reason, frontend: 'mqtt', detail: expect.stringMatching(/./) });
  }
  expect(broker.peers).toHaveLength(0);
  expect(limpet.workers()).toEqual(workers);
});

describe('deadline', () => {
  const inspectMs = 1000;
  const defaults = { timeout: { inspect: `${inspectMs}ms` } };
  const whole = connectFor({ clientId: 'trickle'.repeat(100) });

  /** Sends a byte every 50 ms, until the other side has enough. */
  async function trickle(client: RawSocket): Promise<void> {
    for (const byte of whole) {
      if (client.ended || client.isClosed) return;
      await client.write(Buffer.of(byte)).catch(() => undefined);
      await delay(50);
    }
  }

  test.each([
    ['not a byte', async () => undefined],
    ['one byte', (client: RawSocket) => client.write(whole.subarray(0, 1))],
    ['all but the last byte', (client: RawSocket) => client.write(whole.subarray(0, -1))],
    ['a trickle, which does not extend it', trickle],
  ] as const)('P7: a client that sends %s is ended, counted from accept', async (_what, send) => {
    await using broker = await startBroker(accepts());
    await using limpet = await startLimpet(configFor({ servers: [broker.port], defaults }));
    const startMs = performance.now();
    using client = await connectRaw(limpet.port('mqtt'));
    const sending = send(client);
    // All of the trickle would take 35 s.
    await client.waitForEnd(15_000);
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(inspectMs);
    await sending;
    expect(client.received()).toEqual(NOTHING);
    expect(await limpet.waitForEvent(isRefusal, 'the refusal')).toMatchObject({ reason: 'too_late' });
    expect(broker.peers).toHaveLength(0);
  });

  test('P7: the end of a client in the middle of its CONNECT is told, and of one without a byte is not', async () => {
    await using broker = await startBroker(accepts());
    await using limpet = await startLimpet(configFor({ servers: [broker.port] }));
    for (const count of [0, 1, 20]) {
      using fin = await connectRaw(limpet.port('mqtt'));
      using rst = await connectRaw(limpet.port('mqtt'));
      await Promise.all([fin.write(whole.subarray(0, count)), rst.write(whole.subarray(0, count))]);
      fin.end();
      expect(await within(fin.closed, { what: 'the end' })).toBe(null);
      rst.reset();
    }
    const refusals = () => limpet.events(isRefusal);
    await until(() => refusals().length === 4, { what: 'a line for each that had said something' });
    expect(new Set(refusals().map(event => event.reason))).toEqual(new Set(['closed_early']));
    expect(broker.peers).toHaveLength(0);
  });
});

test('P7: at most ten lines a second for a reason, the rest counted, and other reasons are not drowned', async () => {
  await using broker = await startBroker(accepts());
  await using limpet = await startLimpet(configFor({ servers: [broker.port] }));
  const knock = async (bytes: Buffer): Promise<void> => {
    using client = await connectRaw(limpet.port('mqtt'));
    await client.write(bytes);
    await client.waitForEnd();
  };
  const startMs = performance.now();
  for (let batch = 0; batch < 10; batch += 1) {
    await Promise.all(Array.from({ length: 50 }, () => knock(hex('ff'))));
    if (batch === 5) await knock(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
  }
  const seconds = Math.ceil((performance.now() - startMs) / 1000) + 1;
  // The gate opens again with the next second: this one must be over.
  await delay(1000);
  await knock(hex('ff'));
  const lines = (): LogEvent[] => limpet.events(event => isRefusal(event) && event.reason === 'not_mqtt');
  const suppressed = (): number => lines().reduce((sum, line) => sum + Number(line.suppressed ?? 0), 0);
  await until(() => lines().length + suppressed() === 501, {
    what: 'the count of all',
    seen: () => `  ${lines().length} lines, ${suppressed()} suppressed`,
  });
  expect(lines().length).toBeLessThanOrEqual(10 * seconds + 1);
  expect(lines().length).toBeGreaterThan(10);
  expect(limpet.events(event => isRefusal(event) && event.reason === 'http')).toHaveLength(1);
  console.log(`501 refusals: ${lines().length} lines, ${suppressed()} suppressed, within ${seconds - 1} s`);
  using client = await acceptedRaw(limpet.port('mqtt'), { clientId: 'good' });
  expect(client.ended).toBe(false);
});
