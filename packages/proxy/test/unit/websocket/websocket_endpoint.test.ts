import { afterAll, describe, expect, test } from 'vitest';
import { TimerWheel } from '../../../src/clock.ts';
import { WebSocketEndpoint } from '../../../src/websocket/websocket_endpoint.ts';
import { until } from '../../kit/condition.ts';
import { BINARY, close, frame, ILLEGAL, PING, PONG } from './frames.ts';
import { Hearing, WireEndpoint } from './wire_endpoint.ts';

const wheel = new TimerWheel();
afterAll(() => wheel.close());

interface Open {
  readonly wire: WireEndpoint;
  readonly endpoint: WebSocketEndpoint;
  readonly hearing: Hearing;
}

interface OpenOptions {
  readonly early?: Buffer;
  readonly recordBytes?: number | null;
  readonly idleMs?: number;
  readonly paused?: boolean;
}

function open({ early = Buffer.alloc(0), recordBytes = 64 * 1024, idleMs = 60_000, paused }: OpenOptions = {}): Open {
  const wire = new WireEndpoint();
  const endpoint = new WebSocketEndpoint(wire, early, { wheel, idleMs, recordBytes });
  const hearing = new Hearing();
  endpoint.attach(hearing);
  if (paused !== true) endpoint.resume();
  return { wire, endpoint, hearing };
}

/** All microtasks of now. */
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
const data = (text: string): Buffer => frame({ payload: Buffer.from(text) });
const ping = (text: string): Buffer => frame({ opcode: PING, payload: Buffer.from(text) });

describe('the stream inside the frames', () => {
  test('P1: bytes that came with the request are told first, when somebody listens', async () => {
    const { wire, endpoint, hearing } = open({ early: data('early').subarray(0, 8), paused: true });
    await turn();
    expect(hearing.told).toEqual([]);
    endpoint.resume();
    await turn();
    wire.receive(Buffer.concat([data('early').subarray(8), data('late')]));
    expect(hearing.told).toEqual(['ea', 'rlylate']);
  });

  test('P10: nothing is told while it is paused; an end that came meanwhile is told first', async () => {
    const { wire, endpoint, hearing } = open();
    hearing.onBytes = () => endpoint.pause();
    wire.receive(Buffer.concat([data('last words'), close(1000)]));
    expect(hearing.told).toEqual(['last words']);
    expect(wire.isFlowing).toBe(false);
    endpoint.resume();
    await turn();
    expect(hearing.told).toEqual(['last words', '(ended)']);
  });

  test('P10: a full stream is told once to whoever writes, and his turn comes when it has drained', () => {
    const { wire, endpoint, hearing } = open();
    wire.isFull = true;
    expect(endpoint.write(Buffer.from('a'))).toBe(false);
    wire.isFull = false;
    expect(endpoint.write(Buffer.from('b'))).toBe(false);
    wire.drain();
    expect(hearing.told).toEqual(['(drained)']);
    expect(endpoint.write(Buffer.from('c'))).toBe(true);
  });

  test('P10: a client that pings and does not read collects one Pong', () => {
    const { wire, hearing } = open({ recordBytes: null });
    wire.receive(ping('a'));
    wire.isFull = true;
    for (let round = 0; round < 1000; round += 1) wire.receive(ping(`${round}`));
    expect(wire.written).toHaveLength(2);
    wire.drain();
    expect(wire.hex()).toBe(`8a0161${'8a0130'}${'8a03393939'}`);
    expect(hearing.told).toEqual([]);
  });

  test('Pings are answered between the frames of a message, Pongs are not', () => {
    const { wire, hearing } = open();
    wire.receive(
      Buffer.concat([
        frame({ fin: false, payload: Buffer.from('a') }),
        ping('?'),
        frame({ opcode: PONG, payload: Buffer.from('!') }),
        frame({ opcode: 0, payload: Buffer.from('b') }),
      ]),
    );
    expect(hearing.told).toEqual(['ab']);
    expect(wire.hex()).toBe('8a013f');
  });
});

describe('the end', () => {
  test('their Close is told, and answered with its own code when we end', () => {
    const { wire, endpoint, hearing } = open();
    wire.receive(Buffer.concat([close(3001, Buffer.from('bye')), data('no more')]));
    expect(hearing.told).toEqual(['(ended)']);
    expect(endpoint.write(Buffer.from('x'))).toBe(true);
    endpoint.end();
    expect(wire.hex()).toBe(`820178${'88020bb9'}`);
    expect(wire.asked).toEqual(['close']);
    wire.gone(null);
    expect(hearing.told).toEqual(['(ended)', '(closed null)']);
  });

  test('their Close without a code gets one without a code', () => {
    const { wire, endpoint } = open();
    wire.receive(close(null));
    endpoint.close();
    expect(wire.hex()).toBe('8800');
  });

  test('their Close is answered within about a second, whatever we have to say', async () => {
    const { wire } = open();
    wire.receive(close(1001));
    await until(() => wire.hex() === '880203e9', { what: 'the answer to a Close', timeoutMs: 2000 });
    expect(wire.asked).toEqual(['close']);
  });

  test('ours is sent once, nothing behind it, and bytes still come until theirs', () => {
    const { wire, endpoint, hearing } = open();
    endpoint.end();
    endpoint.end();
    endpoint.write(Buffer.from('too late'));
    expect(wire.hex()).toBe('880203e8');
    wire.receive(Buffer.concat([ping('?'), data('still here')]));
    expect(wire.asked).toEqual([]);
    wire.receive(close(1000));
    expect(hearing.told).toEqual(['still here', '(ended)']);
    expect(wire.hex()).toBe('880203e8');
    expect(wire.asked).toEqual(['close']);
  });

  test('who closes hears no more bytes, and theirs is awaited for 2 s only', async () => {
    const { wire, endpoint, hearing } = open();
    endpoint.pause();
    endpoint.close();
    expect(wire.isFlowing).toBe(true);
    wire.receive(data('what nobody wants'));
    await until(() => wire.asked.length > 0, { what: 'the end of a peer that does not answer', timeoutMs: 3000 });
    expect(wire.asked).toEqual(['close']);
    wire.gone(null);
    expect(hearing.told).toEqual(['(closed null)']);
  });

  test('P10: the time for theirs begins when ours can have been seen', async () => {
    const slow = open();
    slow.wire.isFull = true;
    slow.endpoint.write(Buffer.alloc(10));
    slow.endpoint.close();
    const swift = open();
    swift.endpoint.close();
    await until(() => swift.wire.asked.length > 0, { what: 'the end of a peer that does not answer', timeoutMs: 3000 });
    expect(slow.wire.asked).toEqual([]);
    slow.wire.drain();
    slow.wire.receive(close(1000));
    expect(slow.wire.asked).toEqual(['close']);
  });

  test('a FIN without a Close is an end, too', () => {
    const { wire, endpoint, hearing } = open();
    wire.receive(data('half a fra').subarray(0, 10));
    wire.fin();
    expect(hearing.told).toEqual(['half', '(ended)']);
    endpoint.end();
    expect(wire.hex()).toBe('880203e8');
    expect(wire.asked).toEqual(['close']);
  });

  test('abort and reset go to the stream as they are', () => {
    const one = open();
    one.endpoint.abort();
    expect(one.wire.asked).toEqual(['abort']);
    const two = open();
    two.endpoint.reset();
    two.endpoint.reset();
    expect(two.wire.asked).toEqual(['reset', 'reset']);
    two.wire.gone('ECONNABORTED');
    expect(two.hearing.told).toEqual(['(closed ECONNABORTED)']);
  });

  test('whoever listens after the end is told of it', async () => {
    const { wire, endpoint } = open();
    wire.gone('ECONNRESET');
    const late = new Hearing();
    endpoint.attach(late);
    await turn();
    expect(late.told).toEqual(['(closed ECONNRESET)']);
  });
});

describe('P7: who breaks the rules', () => {
  test.each(ILLEGAL)('by $what is told $code, and nothing more of it passes', async ({ bytes, code }) => {
    const { wire, endpoint, hearing } = open();
    const legal = frame({ payload: Buffer.from('legal') });
    wire.receive(Buffer.concat([legal, bytes, frame({ payload: Buffer.from('after') })]));
    expect(wire.hex()).toBe(`8802${code.toString(16).padStart(4, '0')}`);
    expect(hearing.told.join('')).not.toContain('after');
    expect(endpoint.fault?.closeCode).toBe(code);
    expect(wire.asked).toEqual(['end']);
    wire.gone(null);
    await turn();
    expect(hearing.told.at(-1)).toBe('(closed EPROTO)');
  });

  test('who is silent is asked, and who stays silent is ended', async () => {
    const { wire, hearing } = open({ idleMs: 300 });
    await until(() => wire.hex() === '8900', { what: 'a Ping' });
    wire.receive(frame({ opcode: PONG }));
    await until(() => wire.hex() === '89008900', { what: 'another Ping after an answer' });
    await until(() => wire.hex() === '89008900880203e9', { what: 'a Close with 1001' });
    wire.gone(null);
    await turn();
    expect(hearing.told).toEqual(['(closed ETIMEDOUT)']);
  });

  test('a stream that we do not read is not silent', async () => {
    const held = open({ idleMs: 300, paused: true });
    const asked = open({ idleMs: 300 });
    await until(() => asked.wire.asked.length > 0, { what: 'the end of a silent client' });
    expect(held.wire.hex()).toBe('');
  });
});

describe('P1: the frames behind the stream', () => {
  test('are kept as they came, until they are passed on', async () => {
    const early = data('CONNECT');
    const { wire, endpoint, hearing } = open({ early: early.subarray(0, 3), paused: true });
    expect(endpoint.frames().equals(early.subarray(0, 3))).toBe(true);
    endpoint.resume();
    hearing.onBytes = () => endpoint.pause();
    await turn();
    wire.receive(Buffer.concat([early.subarray(3), ping('?'), data('SUBS').subarray(0, 7)]));
    const all = Buffer.concat([early, ping('?'), data('SUBS').subarray(0, 7)]);
    expect(endpoint.frames().equals(all)).toBe(true);
    const passed = endpoint.passThrough();
    expect(passed.frames.equals(all)).toBe(true);
    expect(passed.endpoint).toBe(wire);
    endpoint.resume();
    endpoint.reset();
    endpoint.close();
    expect(wire.isFlowing).toBe(false);
    expect(wire.asked).toEqual([]);
    wire.gone(null);
    expect(hearing.told).toEqual(['CONNECTS']);
  });

  test('a Close behind the CONNECT is left to the broker', async () => {
    const { wire, endpoint, hearing } = open();
    hearing.onBytes = () => endpoint.pause();
    wire.receive(Buffer.concat([data('CONNECT'), close(1000)]));
    const { frames } = endpoint.passThrough();
    expect(frames.equals(Buffer.concat([data('CONNECT'), close(1000)]))).toBe(true);
    await turn();
    expect(wire.hex()).toBe('');
    expect(hearing.told).toEqual(['CONNECT']);
  });

  test('are gone after forget(), and where none are kept', () => {
    for (const recordBytes of [null, 1024]) {
      const { wire, endpoint } = open({ recordBytes });
      wire.receive(data('CONNECT'));
      endpoint.forget();
      expect(endpoint.frames()).toHaveLength(0);
      expect(() => endpoint.passThrough()).toThrow(expect.objectContaining({ code: 'WEBSOCKET_FRAMES_GONE' }));
    }
  });

  test('P7: are kept up to their limit only', () => {
    const { wire, endpoint, hearing } = open({ recordBytes: 1024 });
    wire.receive(frame({ payload: Buffer.alloc(1000) }));
    expect(hearing.told).toHaveLength(1);
    wire.receive(frame({ opcode: BINARY, payload: Buffer.alloc(20) }));
    expect(hearing.told).toHaveLength(1);
    expect(wire.hex()).toBe('880203f1');
    expect(endpoint.fault?.closeCode).toBe(1009);
  });

  test('P7: frames with nothing in them do not fill the memory, frames of one byte pass', () => {
    const some = open({ recordBytes: 1024 * 1024 });
    for (let round = 0; round < 20_000; round += 1) some.wire.receive(data('x'));
    expect(some.endpoint.fault).toBeNull();
    expect(some.endpoint.frames()).toHaveLength(140_000);
    const none = open({ recordBytes: 1024 * 1024 });
    let rounds = 0;
    while (none.endpoint.fault === null) {
      none.wire.receive(frame({}));
      rounds += 1;
    }
    expect(rounds).toBeLessThan(1000);
    expect(none.wire.hex()).toBe('880203f1');
  });
});
