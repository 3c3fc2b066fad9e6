import { expect, test } from 'vitest';
import { suggest } from '../../../src/config/suggest.ts';

const KNOWN = ['timeout', 'retries', 'max_connect_size', 'maxconn', 'client_id', 'username', 'source', 'on'];

test.each([
  ['timeuot', 'timeout'],
  ['retrys', 'retries'],
  ['max-connect-size', 'max_connect_size'],
  ['maxConnectSize', 'max_connect_size'],
  ['MAXCONN', 'maxconn'],
  ['clientid', 'client_id'],
  ['user', 'username'],
  ['sorce', 'source'],
  ['balance', null],
  ['x', null],
  ['', null],
  ['a'.repeat(500), null],
])('%s: did you mean %s?', (word, meant) => {
  expect(suggest(word, KNOWN)).toBe(meant);
});
