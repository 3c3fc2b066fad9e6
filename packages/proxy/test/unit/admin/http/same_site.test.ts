import { expect, test } from 'vitest';
import { hostOf, isOurHost, strangeness } from '../../../../src/admin/http/same_site.ts';

test.each([
  ['127.0.0.1:8888', true],
  ['[::1]:8888', true],
  ['192.0.2.1', true],
  ['localhost', true],
  ['LOCALHOST:1', true],
  ['localhost.', true],
  ['lb1.example.com:8888', true],
  ['LB1.example.com', true],
  [undefined, true],
  ['evil.example', false],
  ['lb1.example.com.evil.example', false],
  ['localhost.evil.example', false],
  ['127.0.0.1.evil.example', false],
  ['user@localhost', false],
  ['[localhost]', false],
  ['', false],
  ['localhost/x', false],
])('asked as %s: %s', (header, isOurs) => {
  expect(isOurHost(header, ['lb1.example.com'])).toBe(isOurs);
});

test.each([
  ['[2001:db8::1]:80', '2001:db8::1'],
  ['a:b', null],
  ['a:1:2', null],
])('host of %s', (header, host) => {
  expect(hostOf(header)).toBe(host);
});

const good = { host: '127.0.0.1:8888', 'content-type': 'application/json', 'x-limpet-request': '1' };

test.each([
  [{}],
  [{ 'content-type': 'application/json; charset=utf-8' }],
  [{ 'sec-fetch-site': 'same-origin', origin: 'http://127.0.0.1:8888' }],
  [{ 'sec-fetch-site': 'none' }],
  [{ host: 'lb1', origin: 'https://lb1:443' }],
  [{ host: 'lb1:443', origin: 'https://lb1' }],
])('%j may be ours', changes => {
  expect(strangeness({ ...good, ...changes })).toBeNull();
});

test.each([
  [{ 'content-type': undefined }, 'Content-Type'],
  [{ 'content-type': 'text/plain' }, 'Content-Type'],
  [{ 'content-type': 'application/x-www-form-urlencoded; application/json' }, 'Content-Type'],
  [{ 'x-limpet-request': undefined }, 'X-Limpet-Request'],
  [{ 'x-limpet-request': '0' }, 'X-Limpet-Request'],
  [{ 'sec-fetch-site': 'cross-site' }, 'another site'],
  [{ 'sec-fetch-site': 'same-site' }, 'another site'],
  [{ origin: 'null' }, 'Origin'],
  [{ origin: 'http://evil.example' }, 'Origin'],
  [{ origin: 'http://127.0.0.1:8889' }, 'Origin'],
  [{ origin: 'http://127.0.0.1:8888.evil.example' }, 'Origin'],
])('%j is refused', (changes, why) => {
  expect(strangeness({ ...good, ...changes })).toContain(why);
});
