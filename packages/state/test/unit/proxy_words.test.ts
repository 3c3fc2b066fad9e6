import { expect, test } from 'vitest';
import { decodeProxy, encodeProxy, isProxyName, type ProxyFacts } from '../../src/proxy_words.ts';

const facts: ProxyFacts = {
  version: '0.1.0',
  role: 'standby',
  ready: false,
  vip: ['10.0.0.100', 'fd00::64'],
  startedAtMs: Date.parse('2026-11-20T18:00:00.500Z'),
};

test('words are read back as they were written, and people can read them', () => {
  const words = encodeProxy(facts, '3f9a01bc');
  expect(words).toBe(
    'version=0.1.0 start=2026-11-20T18:00:00.500Z role=standby ready=no vip=10.0.0.100,fd00::64 instance=3f9a01bc',
  );
  expect(decodeProxy(`${words} beat=1795197600.042`)).toEqual({
    facts,
    instance: '3f9a01bc',
    beatS: 1_795_197_600.042,
  });
  const alone = { ...facts, ready: true, vip: [] };
  expect(decodeProxy(`${encodeProxy(alone, '3f9a01bc')} beat=1`)?.facts).toEqual(alone);
});

test('whether it is ready is not known of one that does not say, or says something else', () => {
  expect(encodeProxy({ ...facts, ready: null }, '3f9a01bc')).not.toContain('ready');
  const readings = ['', 'ready=', 'ready', 'ready=true', 'ready=YES', 'ready=no', 'ready=yes'].map(
    words => decodeProxy(`role=standby ${words} beat=1`)?.facts.ready,
  );
  expect(readings).toEqual([null, null, null, null, null, false, true]);
});

test('a later release may have other words, in another order, and values that mean nothing here', () => {
  const words = 'beat=17.5 zone=eu vip=10.0.0.1 role=draining flags  version=0.2.0-rc.1+x start=soon instance=uuid-7';
  expect(decodeProxy(words)).toEqual({
    facts: { version: '0.2.0-rc.1+x', role: 'active', ready: null, vip: ['10.0.0.1'], startedAtMs: 0 },
    instance: '',
    beatS: 17.5,
  });
});

test.each([
  ['', null],
  ['version=0.1.0 role=active', null],
  ['beat=', null],
  ['beat=NaN', null],
  ['beat=-5', null],
  ['beat=99999999999999999999', null],
  [`${'x '.repeat(40)}beat=5`, null],
  ['beat=5 version=\u001b[31m vip=<script>,1.2.3.4,none', { version: '', vip: ['1.2.3.4'] }],
])('garbage: %j', (words, expected) => {
  const reading = decodeProxy(words);
  if (expected === null) expect(reading).toBeNull();
  else expect(reading?.facts).toMatchObject(expected);
});

test('names are as in the configuration', () => {
  expect(['lb1', 'a.b_c-D', 'x'.repeat(64)].every(isProxyName)).toBe(true);
  expect(['', 'x'.repeat(65), 'a b', 'a/b', 'ä', 'a\n'].some(isProxyName)).toBe(false);
});
