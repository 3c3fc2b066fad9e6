import { expect, test } from 'vitest';
import { turnAway } from '../../../src/dial/turn_away.ts';
import { refuse } from '../../../src/preread/refusal.ts';

const CHOICE = { backend: 'emqx', server: 'emqx1', how: 'new', degraded: false } as const;
const CONNACK = Buffer.from('20020005', 'hex');

test('a refusal of the broker goes to the client as it is', () => {
  const refused = { kind: 'refused', choice: CHOICE, code: 5, retries: 2, bytes: CONNACK } as const;
  expect(turnAway(4, refused, refuse)).toEqual({
    reason: 'refused_by_server',
    detail: 'CONNACK 0x05',
    server: 'emqx1',
    retries: 2,
    answer: CONNACK,
  });
});

test('a broker that closed without a word: so do we', () => {
  expect(turnAway(5, { kind: 'closed', choice: CHOICE, retries: 3 }, refuse)).toMatchObject({
    reason: 'closed_by_server',
    server: 'emqx1',
    answer: null,
  });
});

test.each([
  [3, 'down', null, 'no_server', '20020003'],
  [4, 'down', null, 'no_server', '20020003'],
  [5, 'down', null, 'no_server', '2003008800'],
  [4, 'full', null, 'server_full', '20020003'],
  [5, 'full', null, 'server_full', '2003008900'],
  [4, 'failed', 'emqx2: ECONNREFUSED', 'all_failed', '20020003'],
  [5, 'failed', 'emqx2: no CONNACK', 'all_failed', '2003008800'],
] as const)('P5: version %d, nobody because %s (%s): %s, CONNACK %s', (version, why, last, reason, hex) => {
  const away = turnAway(version, { kind: 'nobody', why, last, retries: 0 }, refuse);
  expect({ reason: away.reason, answer: away.answer?.toString('hex') }).toEqual({ reason, answer: hex });
  if (last !== null) expect(away.detail).toBe(last);
});
