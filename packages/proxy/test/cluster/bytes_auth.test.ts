/** MQTT 5.0 before the CONNACK: enhanced authentication passes untouched, and the broker's word on the id is the key. */
import { expect, test } from 'vitest';
import { accepts, connack, type Script, type ScriptedBroker, startBroker } from '../kit/broker.ts';
import { connectClient } from '../kit/clients.ts';
import { until } from '../kit/condition.ts';
import { configFor } from '../kit/config.ts';
import { acceptedRaw, connectFor } from '../kit/connects.ts';
import { sendInPieces } from '../kit/cut.ts';
import { type Limpet, startLimpet } from '../kit/limpet.ts';
import { startMosquitto } from '../kit/mosquitto.ts';
import type { RawSocket } from '../kit/raw_socket.ts';
import { field, section, varInt } from '../unit/preread/connect_bytes.ts';

const CONTINUE = 0x18;
const ACCEPTED = connack(5, 0);
const NOT_AUTHORIZED = connack(5, 0x87);

/** An AUTH packet of this method (5.0, 3.15). */
function auth(data: string): Buffer {
  const body = Buffer.concat([Buffer.of(CONTINUE), section(method, Buffer.of(0x16), field(data))]);
  return Buffer.concat([Buffer.of(0xf0), varInt(body.length), body]);
}

const method = Buffer.concat([Buffer.of(0x15), field('SCRAM')]);

function connectWithMethod(clientId: string): Buffer {
  return connectFor({ clientId, level: 5, properties: section(method) });
}

const CLIENT_STEPS = [auth('one'), auth('x'.repeat(20_000)), auth('three')];
const BROKER_STEPS = [auth('challenge 1'), auth('y'.repeat(20_000)), auth('challenge 3')];

/** Answers the CONNECT and every AUTH with its next step, then with that CONNACK; each answer may come in two pieces. */
function authenticates(clientId: string, last: Buffer): Script {
  const thresholds = [connectWithMethod(clientId), ...CLIENT_STEPS].map((_, index, all) =>
    all.slice(0, index + 1).reduce((sum, bytes) => sum + bytes.length, 0),
  );
  return peer => {
    let done = 0;
    peer.onBytes(() => {
      while (done < thresholds.length && peer.bytesIn >= (thresholds[done] ?? 0)) {
        const answer = BROKER_STEPS[done] ?? last;
        done += 1;
        void peer.write(answer.subarray(0, 3)).then(() => peer.write(answer.subarray(3)));
      }
    });
  };
}

/** Plays the client's part; answers everything that it was told. */
async function authenticate(limpet: Limpet, clientId: string): Promise<RawSocket> {
  const [client] = await sendInPieces(limpet.port('mqtt'), [[connectWithMethod(clientId)]]);
  if (client === undefined) throw new Error('there is no client');
  let expected = 0;
  for (const [index, step] of CLIENT_STEPS.entries()) {
    expected += BROKER_STEPS[index]?.length ?? 0;
    await client.waitForBytes(expected);
    await client.write(step.subarray(0, 2));
    await client.write(step.subarray(2));
  }
  await client.waitForBytes(expected + ACCEPTED.length);
  return client;
}

/** Where a client of that id lands that is accepted at once. */
async function landing(limpet: Limpet, brokers: readonly ScriptedBroker[], clientId: string): Promise<number> {
  const before = brokers.map(broker => broker.peers.length);
  using client = await acceptedRaw(limpet.port('mqtt'), { clientId, level: 5 });
  const at = brokers.findIndex((broker, index) => broker.peers.length > (before[index] ?? 0));
  client.reset();
  return at;
}

test('P1: AUTH before CONNACK passes both ways untouched, and the session is stuck like any other', async () => {
  await using first = await startBroker(authenticates('auth', ACCEPTED));
  await using second = await startBroker(authenticates('auth', ACCEPTED));
  await using limpet = await startLimpet(configFor({ servers: [first.port, second.port] }));
  using client = await authenticate(limpet, 'auth');
  expect(client.received()).toEqual(Buffer.concat([...BROKER_STEPS, ACCEPTED]));
  const home = first.peers.length === 1 ? 0 : 1;
  const peer = await (home === 0 ? first : second).waitForPeer(0);
  expect(peer.received()).toEqual(Buffer.concat([connectWithMethod('auth'), ...CLIENT_STEPS]));
  // Behind the CONNACK it is a session like any other, and AUTH may come again (5.0, 4.12.1).
  await Promise.all([client.write(auth('again')), peer.write(auth('and again'))]);
  const [up, down] = [peer.bytesIn, client.bytesIn];
  await Promise.all([
    peer.waitForBytes(up + auth('again').length),
    client.waitForBytes(down + auth('and again').length),
  ]);
  expect(await limpet.waitForEvent(event => event.event === 'connect', 'the connect line')).toMatchObject({
    client_id: 'auth',
    version: '5.0',
    server: `b${home + 1}`,
  });
  client.reset();
  // Round robin alone would bring every second one elsewhere.
  first.script = second.script = accepts();
  for (let round = 0; round < 4; round += 1) expect(await landing(limpet, [first, second], 'auth')).toBe(home);
});

test('P1: a refusal after AUTH reaches the client as it is, and leaves no stick entry behind', async () => {
  await using first = await startBroker(authenticates('auth', NOT_AUTHORIZED));
  await using second = await startBroker(authenticates('auth', NOT_AUTHORIZED));
  await using limpet = await startLimpet(configFor({ servers: [first.port, second.port] }));
  const homes: number[] = [];
  for (let round = 0; round < 4; round += 1) {
    const before = first.peers.length;
    using client = await authenticate(limpet, 'auth');
    expect(client.received()).toEqual(Buffer.concat([...BROKER_STEPS, NOT_AUTHORIZED]));
    await client.waitForEnd();
    homes.push(first.peers.length > before ? 0 : 1);
    await until(() => limpet.events(event => event.event === 'refused').length === round + 1, { what: 'the refusal' });
  }
  // Nothing is remembered: it takes its turn like a stranger.
  expect(homes.filter(home => home === 0)).toHaveLength(2);
  const refusals = limpet.events(event => event.event === 'refused');
  expect(refusals.map(event => event.reason)).toEqual(Array(4).fill('refused_by_server'));
});

test('P7: a broker that leaves in the middle of AUTH ends its client, and nobody else', async () => {
  await using broker = await startBroker(peer => {
    peer.onBytes(() => void peer.write(auth('challenge 1')).then(() => peer.reset()));
  });
  await using limpet = await startLimpet(configFor({ servers: [broker.port] }));
  const [client] = await sendInPieces(limpet.port('mqtt'), [[connectWithMethod('auth')]]);
  expect(await client?.closed).toBe('ECONNRESET');
  broker.script = accepts();
  using other = await acceptedRaw(limpet.port('mqtt'), { clientId: 'other', level: 5 });
  expect(other.ended).toBe(false);
});

test('P2: the id that a broker assigned to a client without one is its key from then on', async () => {
  await using first = await startMosquitto();
  await using second = await startMosquitto();
  await using limpet = await startLimpet(configFor({ servers: [first.port, second.port], workers: 2 }));
  const brokers = [first, second];
  const homes = new Set<number>();
  for (let number = 0; number < 4; number += 1) {
    const options = { protocolVersion: 5, mqtt: { properties: { sessionExpiryInterval: 60 } } } as const;
    const nameless = await connectClient(limpet.port('mqtt'), { clientId: '', clean: true, ...options });
    const clientId = nameless.connack.properties?.assignedClientIdentifier ?? '';
    expect(clientId).not.toBe('');
    const isAt = (): number => brokers.findIndex(broker => broker.connections().some(one => one.clientId === clientId));
    const home = await until(() => isAt() + 1, { what: `${clientId} in the log of a broker` });
    homes.add(home);
    await nameless.end();
    for (let round = 0; round < 3; round += 1) {
      await using again = await connectClient(limpet.port('mqtt'), { clientId, clean: false, ...options });
      expect(again.connack.sessionPresent).toBe(true);
    }
    const elsewhere = brokers[2 - home];
    expect(elsewhere?.connections().filter(one => one.clientId === clientId)).toEqual([]);
  }
  // They did not all come home because there is only one place.
  expect([...homes].sort()).toEqual([1, 2]);
});
