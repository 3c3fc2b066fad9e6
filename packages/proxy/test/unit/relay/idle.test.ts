import { expect, test } from 'vitest';
import { idleLimits } from '../../../src/relay/idle.ts';

const NONE = { clientMs: null, serverMs: null };
const SET = { clientMs: 5000, serverMs: 6000 };

test.each([
  ['1.5 times the keep-alive', 60, null, NONE, 90_000, null],
  ['the shortest one', 1, null, NONE, 1500, null],
  ['the longest one', 65_535, null, NONE, 98_302_500, null],
  ['keep-alive 0: none', 0, null, NONE, null, null],
  ['keep-alive 0: what the operator set', 0, null, SET, 5000, 6000],
  ['the operator shortens no keep-alive', 60, null, SET, 90_000, null],
  ['5.0: the server gives more', 10, 60, NONE, 90_000, null],
  [
    '5.0: the server gives less, and a client that does not know better is not cut off early',
    60,
    10,
    NONE,
    90_000,
    null,
  ],
  ['5.0: the server gives one where the client wanted none', 0, 30, SET, 45_000, null],
  ['5.0: the server turns it off', 60, 0, NONE, null, null],
  ['5.0: the server turns it off: what the operator set', 60, 0, SET, 5000, 6000],
] as const)('%s', (_what, keepAliveS, serverKeepAliveS, operator, clientIdleMs, serverIdleMs) => {
  expect(idleLimits(keepAliveS, serverKeepAliveS, operator)).toEqual({ clientIdleMs, serverIdleMs });
});
