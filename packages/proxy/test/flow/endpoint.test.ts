/** What every plain TCP endpoint promises (src/endpoint.ts), whoever moves its bytes. */
import { describe, expect, test } from 'vitest';
import { type Endpoint, type EndpointListener, NOBODY } from '../../src/endpoint.ts';
import { streamBytes } from '../kit/broker.ts';
import { until, within } from '../kit/condition.ts';
import { TestMover } from '../kit/mover.ts';
import { relayKinds } from '../kit/relay_kind.ts';

const MB = 1_000_000;

/** Writes down what it is told. */
class Ear implements EndpointListener {
  readonly heard: string[] = [];
  readonly closing: Promise<string | null>;
  onBytes: (chunk: Buffer) => void = () => {};
  #chunks: Buffer[] = [];
  #close: (code: string | null) => void = () => {};

  constructor(endpoint: Endpoint) {
    this.closing = new Promise(resolve => {
      this.#close = resolve;
    });
    endpoint.attach(this);
  }

  get bytesHeard(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  bytes(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.onBytes(chunk);
  }

  drained(): void {
    this.heard.push('drained');
  }

  ended(): void {
    this.heard.push('ended');
  }

  closed(code: string | null): void {
    this.heard.push(`closed ${code}`);
    this.#close(code);
  }

  async waitFor(what: string): Promise<void> {
    await until(() => this.heard.includes(what), { what, seen: () => this.heard.join() });
  }

  async waitForBytes(count: number): Promise<Buffer> {
    return until(() => this.bytesHeard.length >= count && this.bytesHeard, { what: `${count} bytes` });
  }

  async close(): Promise<string | null> {
    return within(this.closing, { what: 'the close' });
  }
}

/** As many turns of the event loop as anything needs that is under way. */
async function someTurns(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise(resolve => setImmediate(resolve));
}

describe.each(relayKinds)('an endpoint of the %s relay', kind => {
  test('P1: begins paused; what came meanwhile is told first', async () => {
    using mover = new TestMover(kind);
    const { ours, peer } = await mover.pair();
    const ear = new Ear(ours);
    await peer.write(Buffer.from('early '));
    await someTurns();
    expect([ear.bytesHeard.length, ear.heard]).toEqual([0, []]);
    ours.resume();
    await peer.write(Buffer.from('late'));
    expect((await ear.waitForBytes(10)).toString()).toBe('early late');
    expect(ours.bytesIn).toBe(10);
  });

  test('P10: paused in the middle of a stream it tells nothing more, then everything', async () => {
    using mover = new TestMover(kind);
    const { ours, peer } = await mover.pair();
    const ear = new Ear(ours);
    const all = streamBytes(2 * MB);
    let pauses = 0;
    ear.onBytes = () => {
      pauses += 1;
      ours.pause();
    };
    const sending = peer.write(all).then(() => peer.end());
    while (ear.bytesHeard.length < all.length) {
      const before = pauses;
      ours.resume();
      await until(() => pauses > before, { what: 'bytes after resume()' });
      await someTurns();
      expect([pauses, ear.heard]).toEqual([before + 1, []]);
    }
    await sending;
    expect(ear.bytesHeard.equals(all)).toBe(true);
    ours.resume();
    await ear.waitFor('ended');
  });

  test('P1: a FIN that came while it was paused is told after resume(), once, to whoever listens then', async () => {
    using mover = new TestMover(kind);
    const { ours, peer } = await mover.pair();
    const before = new Ear(ours);
    await peer.write(Buffer.from('bye'));
    peer.end();
    await someTurns();
    const ear = new Ear(ours);
    ours.resume();
    await ear.waitFor('ended');
    expect([ear.bytesHeard.toString(), before.heard, before.bytesHeard.length]).toEqual(['bye', [], 0]);
    ours.write(Buffer.from('still open'));
    ours.end();
    expect((await peer.waitForBytes(10)).toString()).toBe('still open');
    expect(await ear.close()).toBe(null);
    expect(ear.heard).toEqual(['ended', 'closed null']);
  });

  test('P10: a peer that does not read: write() says so, and says when it has all gone', async () => {
    using mover = new TestMover(kind);
    const { ours, peer } = await mover.pair();
    const ear = new Ear(ours);
    peer.stopReading();
    const chunk = streamBytes(MB);
    let written = 0;
    while (ours.write(chunk)) written += 1;
    written += 1;
    await someTurns();
    expect(ear.heard).toEqual([]);
    peer.readAgain();
    await ear.waitFor('drained');
    const got = await peer.waitForBytes(written * MB);
    expect(got.equals(Buffer.concat(Array.from({ length: written }, () => chunk)))).toBe(true);
    expect(ours.bytesOut).toBe(written * MB);
  });

  test('P1: end() sends FIN behind everything, twice is once, and the other direction goes on', async () => {
    using mover = new TestMover(kind);
    const { ours, peer } = await mover.pair();
    const ear = new Ear(ours);
    const all = streamBytes(3 * MB);
    ours.write(all);
    ours.end();
    ours.end();
    expect(ours.write(Buffer.from('too late'))).toBe(true);
    await peer.waitForEnd();
    expect(peer.received().equals(all)).toBe(true);
    ours.resume();
    await peer.write(Buffer.from('answer'));
    peer.end();
    await ear.waitFor('closed null');
    expect(ear.bytesHeard.toString()).toBe('answer');
  });

  test.each([
    ['words that the kernel takes', Buffer.from('answer')],
    ['more than that', streamBytes(12 * MB)],
  ])('P1: end() behind the FIN of the peer sends %s, then FIN, and is the close', async (_, answer) => {
    using mover = new TestMover(kind);
    const { ours, peer } = await mover.pair();
    const ear = new Ear(ours);
    ours.resume();
    await peer.write(Buffer.from('question'));
    peer.end();
    await ear.waitFor('ended');
    expect(ear.bytesHeard.toString()).toBe('question');
    ours.write(answer);
    ours.end();
    ours.end();
    await peer.waitForEnd();
    expect(peer.received().equals(answer)).toBe(true);
    expect(await ear.close()).toBe(null);
    expect(ours.bytesOut).toBe(answer.length);
    // Behind a close nothing is sent, nobody is told, and nothing fails.
    ours.end();
    ours.reset();
    await someTurns();
    expect(ear.heard.filter(what => what !== 'drained')).toEqual(['ended', 'closed null']);
  });

  test('P1: close() sends what is written though the peer goes on sending, and tells its close once', async () => {
    using mover = new TestMover(kind);
    const { ours, peer } = await mover.pair();
    const ear = new Ear(ours);
    await peer.write(streamBytes(100_000));
    ours.write(Buffer.from('last words'));
    ours.close();
    ours.close();
    await peer.waitForEnd();
    expect(peer.received().toString()).toBe('last words');
    peer.end();
    expect(await ear.close()).toBe(null);
    expect(ear.heard).toEqual(['closed null']);
    expect(ear.bytesHeard.length).toBe(0);
  });

  test('P1: abort() sends what is written, then RST', async () => {
    using mover = new TestMover(kind);
    const { ours, peer } = await mover.pair();
    const ear = new Ear(ours);
    // Not more than the kernel sends at once: it drops the rest at RST.
    const all = streamBytes(1000);
    ours.write(all);
    ours.abort();
    expect((await peer.waitForBytes(all.length)).equals(all)).toBe(true);
    expect(await within(peer.closed, { what: 'the RST' })).toBe('ECONNRESET');
    await ear.close();
    expect(ear.heard).toHaveLength(1);
  });

  test('reset() is RST at once, twice is once, and nothing is told but the close', async () => {
    using mover = new TestMover(kind);
    const { ours, peer } = await mover.pair();
    const ear = new Ear(ours);
    ours.resume();
    await peer.write(Buffer.from('dropped'));
    ours.reset();
    ours.reset();
    expect(await within(peer.closed, { what: 'the RST' })).toBe('ECONNRESET');
    expect(await ear.close()).toBe('ECONNABORTED');
    expect(ear.heard).toEqual(['closed ECONNABORTED']);
  });

  test('P10: reset while its FIN is on its way it tells its close, and its peer sees RST', async () => {
    using mover = new TestMover(kind);
    const { ours, peer } = await mover.pair();
    const ear = new Ear(ours);
    ours.end();
    ours.reset();
    expect(await ear.close()).toBe('ECONNABORTED');
    // What the kernel says of an RST that comes behind a FIN; or the FIN was not seen before it.
    expect(['EPIPE', 'ECONNRESET']).toContain(await within(peer.closed, { what: 'the RST' }));
  });

  test('P1: RST right behind bytes is no orderly end', async () => {
    using mover = new TestMover(kind);
    for (let round = 0; round < 20; round += 1) {
      const { ours, peer } = await mover.pair();
      const ear = new Ear(ours);
      ours.resume();
      await peer.write(streamBytes(50_000));
      peer.reset();
      expect(await ear.close()).toBe('ECONNRESET');
      expect(ear.heard).toEqual(['closed ECONNRESET']);
    }
  });

  test('a reset is told while it waits, paused, for its next stage', async () => {
    using mover = new TestMover(kind);
    const { ours, peer } = await mover.pair();
    const ear = new Ear(ours);
    ear.onBytes = () => ours.pause();
    ours.resume();
    await peer.write(Buffer.from('CONNECT'));
    await ear.waitForBytes(7);
    peer.reset();
    expect(await ear.close()).toBe('ECONNRESET');
  });

  test('one that closed between two stages tells whoever comes next, and takes orders in silence', async () => {
    using mover = new TestMover(kind);
    const { ours, peer } = await mover.pair();
    const first = new Ear(ours);
    ours.resume();
    peer.reset();
    await first.close();
    const next = new Ear(ours);
    ours.attach(NOBODY);
    const last = new Ear(ours);
    expect(await last.close()).toBe('ECONNRESET');
    expect(next.heard).toEqual([]);
    expect(ours.write(Buffer.from('to nobody'))).toBe(true);
    for (const order of ['resume', 'pause', 'end', 'close', 'abort', 'reset'] as const) ours[order]();
    await someTurns();
    expect(last.heard).toEqual(['closed ECONNRESET']);
  });
});
