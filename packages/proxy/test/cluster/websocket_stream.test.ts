/** P1 over WebSocket: every byte both ways, in whatever frames, unwrapped for a plain broker and untouched for another. */
import { generate, type IConnectPacket, type IPublishPacket, type Packet, parser } from 'mqtt-packet';
import { describe, expect, test } from 'vitest';
import { accepts, connack, startBroker, streamBytes } from '../kit/broker.ts';
import { makeAuthority } from '../kit/certificates.ts';
import { until } from '../kit/condition.ts';
import { connectFor } from '../kit/connects.ts';
import { startForeign } from '../kit/foreign_broker.ts';
import { startMosquitto } from '../kit/mosquitto.ts';
import { startNats } from '../kit/nats.ts';
import { PINGREQ } from '../kit/pings.ts';
import { ownFrames, startWaysIn } from '../kit/ways_in.ts';
import { openWebSocket, type WebSocketClient } from '../kit/web_socket.ts';

const TOTAL = 5 * 1024 ** 2;
/** 1 byte to 1 MiB, around every border of a frame's length and of a TLS record. */
const SIZES = [1, 2, 125, 126, 127, 1000, 16_384, 16_385, 65_535, 65_536, 65_537, 300_000, 1_048_576];
const ONE_BYTE_FRAMES = 3000;
/** Payloads of PUBLISHes: they align with no frame. */
const PAYLOADS = [7, 128, 16_000, 200_000, 700_001];
const TOPIC = 'there/and/back';

/** A whole session as the client sends it: CONNECT, SUBSCRIBE, and 5 MB to be had back. */
function session(clientId: string): Buffer {
  const connect: IConnectPacket = {
    cmd: 'connect',
    clientId,
    clean: true,
    keepalive: 60,
    protocolId: 'MQTT',
    protocolVersion: 4,
  };
  const subscriptions = [{ topic: TOPIC, qos: 0 as const }];
  const packets = [generate(connect), generate({ cmd: 'subscribe', messageId: 1, subscriptions })];
  for (let from = 0, index = 0; from < TOTAL; index += 1) {
    const payload = streamBytes(Math.min(PAYLOADS[index % PAYLOADS.length] ?? 1, TOTAL - from), from);
    const publish: IPublishPacket = { cmd: 'publish', topic: TOPIC, payload, qos: 0, dup: false, retain: false };
    packets.push(generate(publish));
    from += payload.length;
  }
  return Buffer.concat(packets);
}

/** Messages of three fragments of every size, many of one byte first, with Pings between the fragments. */
async function sendInFrames(client: WebSocketClient, bytes: Buffer): Promise<number> {
  let pings = 0;
  let index = 0;
  for (let at = 0; at < bytes.length; index += 1) {
    const size = index < ONE_BYTE_FRAMES ? 1 : (SIZES[index % SIZES.length] ?? 1);
    const sent = client.send(bytes.subarray(at, at + size), index % 3 === 2);
    // Most are not waited for; what fails shows in what comes back.
    sent.catch(() => undefined);
    if (client.ws.bufferedAmount > 256 * 1024) await sent;
    if (index % 50 === 0 || index > ONE_BYTE_FRAMES) {
      client.ws.ping(`${index}`);
      pings += 1;
    }
    at += size;
  }
  await client.send(Buffer.alloc(0));
  return pings;
}

/** 5 MB there and back through a broker, and what came back compared. */
async function thereAndBack(port: number, ca?: string): Promise<string> {
  using client = await openWebSocket(port, ca === undefined ? {} : { ca });
  expect(client.ws.extensions).toBe('');
  expect(client.ws.protocol).toBe('mqtt');
  const others: Packet[] = [];
  const payloads: Buffer[] = [];
  let got = 0;
  const packets = parser();
  packets.on('packet', packet => {
    if (packet.cmd !== 'publish') others.push(packet);
    else {
      payloads.push(Buffer.from(packet.payload));
      got += packet.payload.length;
    }
  });
  client.forget();
  client.ws.on('message', (message: Buffer) => packets.parse(message));
  const startMs = performance.now();
  const pings = await sendInFrames(client, session('stream'));
  const seen = (): string => `${got} bytes, ${client.pongs} of ${pings} pongs`;
  await until(() => got >= TOTAL && client.pongs >= 1, { what: '5 MB back', timeoutMs: 30_000, seen });
  expect(others.map(({ cmd }) => cmd)).toEqual(['connack', 'suback']);
  expect(Buffer.concat(payloads).equals(streamBytes(TOTAL))).toBe(true);
  return `${TOTAL} bytes each way in ${Math.round(performance.now() - startMs)} ms, ${client.pongs} of ${pings} Pings answered`;
}

describe('P1: 5 MB each way in fragments of 1 byte to 1 MiB with Pings between, byte-equal', () => {
  test('unwrapped for mosquitto, which speaks plain MQTT: ws and wss', async () => {
    await using authority = await makeAuthority();
    const certificate = await authority.issue({ cn: 'localhost', names: ['localhost'] });
    await using mosquitto = await startMosquitto({ config: ['max_queued_messages 0', 'max_inflight_messages 0'] });
    await using limpet = await startWaysIn({ certificate, servers: { m: `127.0.0.1:${mosquitto.port}` } });
    console.log(`unwrapped, ws: ${await thereAndBack(limpet.port('ws'))}`);
    console.log(`unwrapped, wss: ${await thereAndBack(limpet.port('wss'), authority.ca)}`);
  });

  test('frames untouched for NATS, which speaks WebSocket itself: ws and wss', async () => {
    await using authority = await makeAuthority();
    const certificate = await authority.issue({ cn: 'localhost', names: ['localhost'] });
    await using nats = await startNats();
    await using limpet = await startWaysIn({
      certificate,
      ways: ['ws', 'wss'],
      servers: { n: ownFrames(nats.webSocketPort) },
    });
    console.log(`untouched, ws: ${await thereAndBack(limpet.port('ws'))}`);
    console.log(`untouched, wss: ${await thereAndBack(limpet.port('wss'), authority.ca)}`);
  });
});

describe('P1: over wss, CONNECT and what is pipelined behind it, in frames cut everywhere', () => {
  const connect = connectFor({ clientId: 'cut-everywhere' });
  const bytes = Buffer.concat([connect, PINGREQ, PINGREQ]);
  const answer = connack(4, 0);
  /** In two frames, cut at every place (the fragments of one message, or two messages); and each byte in its own. */
  const cuts: { readonly frames: readonly Buffer[]; readonly isOneMessage: boolean }[] = [true, false].flatMap(
    isOneMessage => [
      ...Array.from({ length: bytes.length + 1 }, (_, at) => ({
        frames: [bytes.subarray(0, at), bytes.subarray(at)],
        isOneMessage,
      })),
      { frames: [...bytes].map(byte => Buffer.of(byte)), isOneMessage },
    ],
  );

  async function sendAll(port: number, ca: string): Promise<void> {
    for (const { frames, isOneMessage } of cuts) {
      using client = await openWebSocket(port, { ca });
      // Each in a TLS record of its own: ws corks nothing.
      for (const [index, frame] of frames.entries()) {
        await client.send(frame, !isOneMessage || index === frames.length - 1);
      }
      const got = await client.waitForBytes(answer.length);
      expect(got.equals(answer)).toBe(true);
    }
  }

  test('a plain broker gets the bytes once and in order', async () => {
    await using authority = await makeAuthority();
    const certificate = await authority.issue({ cn: 'localhost', names: ['localhost'] });
    await using broker = await startBroker(accepts());
    await using limpet = await startWaysIn({ certificate, servers: { b: `127.0.0.1:${broker.port}` } });
    await sendAll(limpet.port('wss'), authority.ca);
    expect(broker.peers.length).toBe(cuts.length);
    for (const peer of broker.peers)
      expect((await peer.waitForBytes(bytes.length)).toString('hex')).toBe(bytes.toString('hex'));
    console.log(`${cuts.length} cuts, unwrapped`);
  });

  test('a broker that speaks WebSocket gets the very frames', async () => {
    await using authority = await makeAuthority();
    const certificate = await authority.issue({ cn: 'localhost', names: ['localhost'] });
    await using broker = await startForeign();
    await using limpet = await startWaysIn({ certificate, ways: ['wss'], servers: { b: ownFrames(broker.port) } });
    await sendAll(limpet.port('wss'), authority.ca);
    expect(broker.peers.length).toBe(cuts.length);
    for (const [index, peer] of broker.peers.entries()) {
      const { frames, isOneMessage } = cuts[index] ?? { frames: [], isOneMessage: true };
      await until(() => Buffer.concat(peer.messages).length >= bytes.length, { what: 'the whole of it' });
      expect(peer.messages.map(message => message.toString('hex'))).toEqual(
        (isOneMessage ? [bytes] : frames).map(message => message.toString('hex')),
      );
    }
    console.log(`${cuts.length} cuts, untouched`);
  });
});
