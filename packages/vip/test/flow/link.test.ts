import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../../proxy/test/kit/condition.ts';
import { type Datagram, decodeDatagram, encodeDatagram } from '../../src/beat/codec.ts';
import { Link } from '../../src/beat/link.ts';
import { type Endpoint, readEndpoint } from '../../src/config/endpoint.ts';
import type { Beat } from '../../src/pair/state.ts';

const secret = Buffer.from('0123456789abcdef');
const calm = { role: 'standby', ready: true, fence: 0, grade: 1, priority: 100, wants: false } as const;

/** The other host, played by the test: it says what it likes. */
class Peer {
  readonly socket: Socket = createSocket('udp4');
  readonly heard: Datagram[] = [];
  sequence = 0;

  async open(host = '127.0.0.2'): Promise<number> {
    this.socket.on('message', bytes => {
      const datagram = decodeDatagram(bytes, secret);
      if (datagram !== null) this.heard.push(datagram);
    });
    this.socket.bind(0, host);
    await once(this.socket, 'listening');
    return this.socket.address().port;
  }

  say(self: Endpoint, peer: Endpoint, change: Partial<Datagram> = {}): Buffer {
    const last = this.heard.at(-1);
    this.sequence += 1;
    const echo = { echoBoot: last?.boot ?? 0n, echoSequence: last?.sequence ?? 0 };
    const own = { boot: 5n, sequence: this.sequence, name: 'limpet', node: peer.text, deadMs: 60, leaseMs: 250 };
    const bytes = encodeDatagram({ ...calm, ...own, ...echo, ...change }, secret);
    this.socket.send(bytes, self.port, self.host);
    return bytes;
  }
}

function endpoint(text: string): Endpoint {
  const read = readEndpoint(text);
  if (read === null) throw new Error(text);
  return read;
}

describe('the heartbeats of two hosts', () => {
  const beats: Beat[] = [];
  const troubles: string[] = [];
  let peer: Peer;
  let link: Link;
  let self: Endpoint;
  let there: Endpoint;

  beforeEach(async () => {
    beats.length = 0;
    troubles.length = 0;
    peer = new Peer();
    there = endpoint(`127.0.0.2:${await peer.open()}`);
    const probe = createSocket('udp4').bind(0, '127.0.0.1');
    await once(probe, 'listening');
    self = endpoint(`127.0.0.1:${probe.address().port}`);
    probe.close();
    await once(probe, 'close');
    link = await Link.open({
      ...{ name: 'limpet', self, peer: there, secret, deadMs: 60, leaseMs: 250 },
      onBeat: beat => beats.push(beat),
      onTrouble: message => troubles.push(message),
    });
    link.send(calm);
    await until(() => peer.heard.length > 0, { what: 'our heartbeat' });
  });

  afterEach(() => {
    link.close();
    peer.socket.close();
  });

  /** What comes after it has been looked at, so it has been, too. */
  async function settle(): Promise<void> {
    const before = beats.length;
    peer.say(self, there, { priority: 7 });
    await until(() => beats.slice(before).some(({ priority }) => priority === 7), { what: 'a true heartbeat' });
  }

  it('are heard, and answered when the other host is new', async () => {
    peer.say(self, there, { echoBoot: 0n, echoSequence: 0 });
    await until(() => peer.heard.at(-1)?.echoBoot === 5n, { what: 'an answer to the greeting' });
    expect(beats).toEqual([]);
    peer.say(self, there, { role: 'active', fence: 9 });
    await until(() => beats.length > 0, { what: 'the heartbeat' });
    expect(beats).toEqual([{ ...calm, role: 'active', fence: 9, hearsUs: true }]);
    expect(troubles).toEqual([]);
  });

  it('are not believed when they are recordings, forged, or come from elsewhere', async () => {
    await settle();
    const recorded = peer.say(self, there, { role: 'active', fence: 99, priority: 8 });
    await until(() => beats.some(({ priority }) => priority === 8), { what: 'the true one' });
    beats.length = 0;
    const forged = Buffer.from(recorded);
    forged.writeUInt8(200, 7);
    peer.socket.send(recorded, self.port, self.host);
    peer.socket.send(forged, self.port, self.host);
    peer.say(self, there, { role: 'active', boot: 4n, echoSequence: 0 });
    const stranger = new Peer();
    await stranger.open('127.0.0.3');
    stranger.heard.push(...peer.heard);
    stranger.sequence = 1_000;
    stranger.say(self, there, { role: 'active' });
    await settle();
    stranger.socket.close();
    expect(beats.map(({ priority }) => priority)).toEqual([7]);
    expect(troubles).toEqual([expect.stringContaining('was not made with our secret')]);
  });

  it('say what both files must have in common', async () => {
    await settle();
    peer.say(self, there, { leaseMs: 300 });
    peer.say(self, there, { name: 'other' });
    await settle();
    expect(troubles).toEqual([
      expect.stringContaining('another dead_after or lease'),
      expect.stringContaining('another name or host'),
    ]);
  });
});
