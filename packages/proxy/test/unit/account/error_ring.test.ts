import { expect, test } from 'vitest';
import { connectError } from '../../../src/account/connect_error.ts';
import { ErrorGate, ErrorRing } from '../../../src/account/error_ring.ts';
import { inbound } from './sessions.ts';

const SEEN = { receivedBytes: 30, head: '10' };

function errorOf(detail: string) {
  const error = connectError('lb1/1', inbound(), { reason: 'malformed', detail, answer: null }, SEEN);
  if (error === null) throw new Error('not an error');
  return error;
}

test('the last hundred malformed CONNECTs are kept, newest first', () => {
  const ring = new ErrorRing();
  expect(ring.list()).toEqual([]);
  for (let count = 0; count < 130; count++) ring.add(errorOf(String(count)));
  const details = ring.list().map(({ detail }) => detail);
  expect([details.length, details[0], details[99]]).toEqual([100, '129', '30']);
});

test('an error says who, where and what', () => {
  const { atMs, ...rest } = errorOf('cut');
  expect(Math.abs(Date.now() - atMs)).toBeLessThan(1000);
  expect(rest).toEqual({
    ...{ worker: 'lb1/1', session: 7, frontend: 'mqtt', bind: '*:1883', client: '192.0.2.7:50123' },
    ...{ reason: 'malformed', detail: 'cut', length: 30, head: '10' },
  });
});

test.each(['too_late', 'closed_early', 'preread_memory'] as const)('%s is no malformed CONNECT', reason => {
  expect(connectError('lb1/1', inbound(), { reason, detail: '', answer: null }, SEEN)).toBeNull();
});

test('P7: of a flood ten a second are told', () => {
  const gate = new ErrorGate();
  const passed = (nowMs: number) => Array.from({ length: 50 }, () => gate.pass(nowMs)).filter(Boolean).length;
  expect([passed(1000), passed(1999), passed(2000)]).toEqual([10, 0, 10]);
});
