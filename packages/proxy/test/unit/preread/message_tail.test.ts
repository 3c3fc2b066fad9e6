import { expect, test } from 'vitest';
import { ConnectReader } from '../../../src/preread/connect_reader.ts';
import { MessageTail } from '../../../src/preread/message_tail.ts';
import type { Refusal } from '../../../src/preread/refusal.ts';
import { PrereadPool } from '../../../src/preread_pool.ts';
import type { Connect } from '../../../src/stages.ts';
import { FrameDecoder } from '../../../src/websocket/frame_decoder.ts';
import { connectFor } from '../../kit/connects.ts';
import { CONTINUATION, frame, PING } from '../websocket/frames.ts';

const CONNECT = connectFor({ clientId: 'a' });

function connect(): Connect {
  const step = new ConnectReader({ maxSizeBytes: 1024 }, new PrereadPool(1024), () => undefined).push(CONNECT);
  if (step.kind !== 'hello') throw new Error(step.kind);
  return step.hello.connect;
}

test('P1: keeps what comes behind a CONNECT, in order', () => {
  const pool = new PrereadPool(1024 * 1024);
  const tail = new MessageTail(connect(), pool, () => undefined);
  const pieces = [CONNECT, Buffer.from('abc'), Buffer.alloc(0), Buffer.alloc(10_000, 'x'), Buffer.from('z')];
  for (const piece of pieces) expect(tail.push(piece)).toBeNull();
  expect(tail.hello().bytes.equals(Buffer.concat(pieces))).toBe(true);
  expect(tail.hello().connect.clientId).toBe('a');
  tail.release();
  expect(pool.usedBytes).toBe(0);
});

test('P7: takes its memory out of the pool, and is ended where there is none', () => {
  const pool = new PrereadPool(10_000);
  const evictions: Refusal[] = [];
  const tail = new MessageTail(connect(), pool, refusal => evictions.push(refusal));
  expect(tail.push(Buffer.alloc(6000))).toBeNull();
  expect(pool.heldBy(tail)).toBeGreaterThanOrEqual(6000);
  const other = { evict: () => undefined };
  expect(pool.reserve(other, 5000)).toBe(true);
  expect(evictions.map(({ reason }) => reason)).toEqual(['preread_memory']);
  const late = new MessageTail(connect(), pool, () => undefined);
  expect(late.push(Buffer.alloc(6000))?.reason).toBe('preread_memory');
});

test('a message counts as whole at its last frame, whatever is between', () => {
  const decoder = new FrameDecoder('client');
  const steps: readonly (readonly [Buffer, number])[] = [
    [frame({ fin: false, payload: Buffer.from('abc') }), 0],
    [frame({ opcode: PING }), 0],
    [frame({ opcode: CONTINUATION, fin: false, payload: Buffer.from('de') }), 0],
    [frame({ opcode: CONTINUATION }), 5],
    [frame({ payload: Buffer.from('fgh') }).subarray(0, -1), 5],
  ];
  for (const [bytes, whole] of steps) {
    decoder.push(Buffer.from(bytes));
    expect(decoder.wholeBytes).toBe(whole);
  }
});
