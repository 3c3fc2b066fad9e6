/** The configuration of a program under test, on the relay that LIMPET_TEST_RELAY chooses (test/kit/relay_kind.ts). */
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { withRelay } from '../../kit/relay_kind.ts';

test.each([
  ['no global', 'frontends: {}\nbackends: {}\n'],
  ['global in one line', 'global: { name: lb1 }\nfrontends: {}\n'],
  ['global as a block', 'frontends: {}\nglobal:\n    name: lb1\n    workers: 2\n'],
])('a text with %s is on the relay, and else as it was', (_what, text) => {
  const before = parse(text) as { global?: object };
  expect(parse(String(withRelay(text, 'node')))).toEqual({ ...before, global: { ...before.global, relay: 'node' } });
});

test('an object is on the relay; one that names a relay itself stays as it is, and so does what is no configuration', () => {
  expect(withRelay({ global: { name: 'lb1' }, frontends: {} }, 'native')).toEqual({
    global: { relay: 'native', name: 'lb1' },
    frontends: {},
  });
  expect(withRelay({ global: { relay: 'native' } }, 'node')).toEqual({ global: { relay: 'native' } });
  for (const text of ['global: { relay: auto }\n', 'global:\n  relay: auto\n', '[ not a configuration']) {
    expect(withRelay(text, 'node')).toBe(text);
  }
  expect(withRelay({ frontends: {} }, null)).toEqual({ frontends: {} });
});
