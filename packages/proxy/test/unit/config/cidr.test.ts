import { expect, test } from 'vitest';
import { readCidr } from '../../../src/config/cidr.ts';

test.each([
  ['10.0.0.0/8', '10.0.0.0/8'],
  ['10.1.2.3/8', '10.0.0.0/8'],
  ['192.0.2.7', '192.0.2.7/32'],
  ['0.0.0.0/0', '0.0.0.0/0'],
  ['2001:db8::/32', '2001:db8::/32'],
  ['2001:DB8:0:1::5/64', '2001:db8:0:1::/64'],
  ['::1', '::1/128'],
  ['::/0', '::/0'],
  ['::ffff:10.0.0.7', '10.0.0.7/32'],
  ['::ffff:10.1.2.3/104', '10.0.0.0/8'],
  [' 10.0.0.1 ', '10.0.0.1/32'],
])('%s is %s', (written, cidr) => {
  expect(readCidr(written)).toEqual({ ok: true, value: cidr });
});

test.each([
  '',
  '*',
  'any',
  '10.0.0.0/',
  '10.0.0.0/33',
  '10.0.0.0/-1',
  '10.0.0.0/255.0.0.0',
  '10.0.0/8',
  '10.0.0.300',
  '010.0.0.1',
  '2001:db8::/129',
  '[::1]',
  'fe80::1%eth0',
  'broker.example.com',
  10,
  true,
])('%s is refused, with examples of what is right', written => {
  expect(readCidr(written)).toMatchObject({ ok: false, remedy: expect.stringContaining('10.0.0.0/8') });
});
