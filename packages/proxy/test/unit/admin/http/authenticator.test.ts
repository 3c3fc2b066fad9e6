import { scryptSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { Authenticator } from '../../../../src/admin/http/authenticator.ts';
import { readBasic } from '../../../../src/admin/http/basic.ts';
import { Failures } from '../../../../src/admin/http/failures.ts';
import { costliest, hashPassword, isPassword } from '../../../../src/admin/http/password.ts';
import { Turns } from '../../../../src/admin/http/turns.ts';
import type { StatsUser } from '../../../../src/config/resolved.ts';

/** As cheap as may be: what is tested here is not scrypt. */
function hashed(password: string): string {
  const [salt, cost] = [Buffer.from('limpet-test-salt'), { cost: 2 ** 14, blockSize: 1, parallelization: 1 }];
  const written = [salt, scryptSync(password, salt, 32, cost)].map(bytes =>
    bytes.toString('base64').replace(/=+$/, ''),
  );
  return `$scrypt$ln=14,r=1,p=1$${written.join('$')}`;
}

const users: readonly StatsUser[] = [
  { name: 'ann', password: hashed('s3cret:ü'), level: 'admin' },
  { name: 'bob', password: hashed('other'), level: 'user' },
];

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
const SOURCE = '192.0.2.1';

test('a password fits its own hash only', async () => {
  const [hash, again] = await Promise.all([hashPassword('a'), hashPassword('a')]);
  expect(hash).toMatch(/^\$scrypt\$ln=15,r=8,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  expect(hash).not.toBe(again);
  expect(await isPassword('a', hash)).toBe(true);
  expect(await isPassword('b', hash)).toBe(false);
  expect(await isPassword('a', 'a')).toBe(false);
  // é as one character and as two.
  expect(await isPassword('\u00e9', await hashPassword('e\u0301'))).toBe(true);
});

test.each([
  [basic('ann:a:b'), { name: 'ann', password: 'a:b' }],
  [`basic  ${Buffer.from(':').toString('base64')}`, { name: '', password: '' }],
  [basic('nobody'), null],
  ['Bearer abc', null],
  ['Basic !!', null],
  [`Basic ${'A'.repeat(2000)}`, null],
  [undefined, null],
])('%s says %j', (header, credentials) => {
  expect(readBasic(header)).toEqual(credentials);
});

test('without users everybody may look', async () => {
  const verdict = await new Authenticator([]).judge(basic('ann:x'), SOURCE);
  expect(verdict).toEqual({ kind: 'let_in', name: null, level: 'user' });
});

test('who is known comes in with the level that is theirs', async () => {
  const door = new Authenticator(users);
  expect(await door.judge(basic('ann:s3cret:ü'), SOURCE)).toEqual({ kind: 'let_in', name: 'ann', level: 'admin' });
  expect(await door.judge(basic('bob:other'), SOURCE)).toEqual({ kind: 'let_in', name: 'bob', level: 'user' });
  expect(await door.judge(undefined, SOURCE)).toEqual({ kind: 'stranger' });
  expect(await door.judge(basic('ann:other'), SOURCE)).toEqual({ kind: 'wrong' });
  expect(await door.judge(basic('eve:other'), SOURCE)).toEqual({ kind: 'wrong' });
});

test('ten wrong passwords a minute for one name from one source, then none is looked at', async () => {
  const door = new Authenticator(users);
  const wrong = (now: number, source = SOURCE) => door.judge(basic(`ann:${now}`), source, now);
  for (let n = 0; n < 10; n += 1) expect(await wrong(1_000 + n)).toEqual({ kind: 'wrong' });
  expect(await wrong(1_020)).toEqual({ kind: 'too_many', retryAfterS: 6 });
  expect(await door.judge(basic('ann:s3cret:ü'), SOURCE, 1_021)).toMatchObject({ kind: 'too_many' });
  // Other users of the same address and other addresses have tries of their own, and time brings new ones.
  expect(await door.judge(basic('bob:other'), SOURCE, 1_022)).toMatchObject({ kind: 'let_in' });
  expect(await wrong(1_023, '192.0.2.2')).toEqual({ kind: 'wrong' });
  expect(await door.judge(basic('ann:s3cret:ü'), SOURCE, 7_100)).toMatchObject({ kind: 'let_in' });
});

test('names that do not exist are counted as one', async () => {
  const door = new Authenticator(users);
  const kinds: string[] = [];
  for (let n = 0; n < 11; n += 1) kinds.push((await door.judge(basic(`eve${n}:x`), SOURCE, 1_000)).kind);
  expect(kinds).toEqual([...Array.from({ length: 10 }, () => 'wrong'), 'too_many']);
  expect(await door.judge(basic('bob:other'), SOURCE, 1_001)).toMatchObject({ kind: 'let_in' });
});

test('a hundred wrong ones a minute from one source, whatever the names', () => {
  const failures = new Failures();
  const waits = Array.from({ length: 101 }, (_, n) => failures.try('2001:db8::1', `user${n}`, 1_000));
  expect(waits).toEqual([...Array.from({ length: 100 }, () => 0), 1]);
  expect(failures.try('2001:db8::2', 'new', 1_000)).toBe(1);
  expect(failures.try('192.0.2.1', 'new', 1_000)).toBe(0);
  // A refused try costs nothing, and one that was right is given back.
  failures.forgive('2001:db8::1', 'user0');
  expect(failures.try('2001:db8::1', 'user100', 1_000)).toBe(0);
});

test('a name that nobody has, and one with a cheap hash, take as long as the costliest hash', async () => {
  const cheap = hashed('a');
  const costly = cheap.replace('r=1', 'r=16');
  expect(costliest([cheap, costly, cheap.replace('r=1', 'r=8')])).toBe(costly);
  expect(costliest([])).toBe('');
  const door = new Authenticator([
    { name: 'ann', password: cheap, level: 'user' },
    { name: 'bob', password: costly, level: 'user' },
  ]);
  const timeOf = async (work: () => Promise<unknown>): Promise<number> => {
    const startMs = performance.now();
    await work();
    return performance.now() - startMs;
  };
  const cheapMs = await timeOf(() => isPassword('x', cheap));
  for (const name of ['ann', 'bob', 'eve']) {
    expect(await timeOf(() => door.judge(basic(`${name}:x`), SOURCE))).toBeGreaterThan(4 * cheapMs);
  }
});

test('right passwords cost no tries, and are forgotten after a minute', async () => {
  const door = new Authenticator(users);
  const bob = basic('bob:other');
  for (let n = 0; n < 15; n += 1) {
    expect(await door.judge(bob, SOURCE, 61_000 * n)).toMatchObject({ kind: 'let_in' });
  }
});

test('who asks again within a minute stays in, whatever others try from there', async () => {
  const door = new Authenticator(users);
  await door.judge(basic('bob:other'), SOURCE, 0);
  for (let n = 1; n <= 6; n += 1) {
    for (let tries = 0; tries < 11; tries += 1) await door.judge(basic(`ann:${n}.${tries}`), SOURCE, 40_000 * n);
    expect(await door.judge(basic('bob:other'), SOURCE, 40_000 * n)).toMatchObject({ kind: 'let_in' });
  }
  expect(await door.judge(basic('bob:other'), SOURCE, 300_001)).toMatchObject({ kind: 'let_in' });
});

test('a page that asks for many things at once is one try', async () => {
  const door = new Authenticator(users);
  const all = Array.from({ length: 50 }, () => door.judge(basic('ann:wrong'), SOURCE, 1_000));
  expect(new Set((await Promise.all(all)).map(({ kind }) => kind))).toEqual(new Set(['wrong']));
  expect(await door.judge(basic('ann:wronger'), SOURCE, 1_000)).toEqual({ kind: 'wrong' });
});

test('many sources at once: some are busy, none waits without end', async () => {
  const door = new Authenticator(users);
  const all = Array.from({ length: 60 }, (_, n) => door.judge(basic(`ann:${n}`), `192.0.2.${n}`, 1_000));
  const kinds = (await Promise.all(all)).map(({ kind }) => kind);
  expect(kinds.filter(kind => kind === 'busy')).toHaveLength(60 - 2 - 32);
  expect(kinds.filter(kind => kind === 'wrong')).toHaveLength(2 + 32);
});

test('turns: so many at once, in order', async () => {
  const turns = new Turns(2, 2);
  let inside = 0;
  let most = 0;
  const work = (n: number) => async (): Promise<number> => {
    inside += 1;
    most = Math.max(most, inside);
    await new Promise(resolve => setImmediate(resolve));
    inside -= 1;
    return n;
  };
  expect(await Promise.all([1, 2, 3, 4, 5].map(n => turns.take(work(n))))).toEqual([1, 2, 3, 4, null]);
  expect(most).toBe(2);
  await expect(turns.take(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await turns.take(work(6))).toBe(6);
});
