import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ConnectReader } from '../../../src/preread/connect_reader.ts';
import { shownHead } from '../../../src/preread/shown_head.ts';
import { PrereadPool } from '../../../src/preread_pool.ts';
import { connectBytes, field, hex } from './connect_bytes.ts';

const SECRET = 'XSECRETX';
const PAYLOAD = [field(SECRET), field(SECRET), field(SECRET), field(SECRET), field(SECRET)];

test.each([
  ['a CONNECT of 3.1.1', connectBytes({ level: 4, flags: 0xc6, payload: PAYLOAD }), '103c00044d51545404c6003c'],
  ['of 3.1', connectBytes({ level: 3, payload: PAYLOAD }), '103e00064d51497364700302003c'],
  ['of 5.0', connectBytes({ level: 5, properties: hex('05112a2a2a2a'), payload: PAYLOAD }), '104200044d5154540502003c'],
  ['of an unknown level', connectBytes({ level: 9, payload: PAYLOAD }), '103c00044d5154540902003c'],
  ['with another name', connectBytes({ level: 4, name: SECRET, payload: PAYLOAD }), '1040000858'],
  ['with an endless length', hex('10ffffffff7f2a2a2a'), '10ffffffff7f2a2a'],
  ['an HTTP request', Buffer.from(`GET /?password=${SECRET}`), Buffer.from('GET /').toString('hex')],
  ['a PUBLISH', hex('30051a2a3a4a5a6a7a'), '30051a2a3a'],
  ['one byte', hex('10'), '10'],
])('P11: %s shows its head, and nothing behind', (_, bytes, shown) => {
  expect(shownHead(bytes)).toBe(shown);
  expect(Buffer.from(shown, 'hex').toString('latin1')).not.toContain(SECRET.slice(0, 2));
});

test('the head of a bad CONNECT is shown, however it was cut', () => {
  const bytes = connectBytes({ level: 4, flags: 0x03, payload: PAYLOAD });
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), at => {
      const reader = new ConnectReader({ maxSizeBytes: 1000 }, new PrereadPool(1000), () => {});
      const steps = [bytes.subarray(0, at), bytes.subarray(at)].map(chunk => reader.push(chunk).kind);
      expect([steps.at(-1), reader.shownHead]).toEqual(['bad', '103c00044d5154540403003c']);
    }),
  );
});

test('of a legal CONNECT nothing is kept', () => {
  const reader = new ConnectReader({ maxSizeBytes: 1000 }, new PrereadPool(1000), () => {});
  expect([reader.push(connectBytes({ level: 4 })).kind, reader.shownHead]).toEqual(['hello', '']);
});
