import { describe, expect, it } from 'vitest';
import { parseRedisUrl } from '../../src/redis_url.ts';

describe('state.redis.url', () => {
  it.each([
    ['redis://127.0.0.1', { host: '127.0.0.1', port: 6379, db: 0 }, 'redis://127.0.0.1:6379/0'],
    ['redis://h:1234/5', { host: 'h', port: 1234, db: 5 }, 'redis://h:1234/5'],
    ['redis://h?db=3', { host: 'h', port: 6379, db: 3 }, 'redis://h:6379/3'],
    ['redis://:s%40cret@h', { host: 'h', port: 6379, db: 0, password: 's@cret' }, 'redis://:***@h:6379/0'],
    [
      'redis://limpet:secret@h',
      { host: 'h', port: 6379, db: 0, username: 'limpet', password: 'secret' },
      'redis://limpet:***@h:6379/0',
    ],
    ['redis://[::1]:7000/1', { host: '::1', port: 7000, db: 1 }, 'redis://[::1]:7000/1'],
    ['rediss://h', { host: 'h', port: 6379, db: 0, tls: {} }, 'rediss://h:6379/0'],
    ['unix:///run/redis.sock', { path: '/run/redis.sock', db: 0 }, 'unix:///run/redis.sock'],
    ['unix:///run/redis.sock?db=2', { path: '/run/redis.sock', db: 2 }, 'unix:///run/redis.sock?db=2'],
    ['redis+unix:///run/a%20b', { path: '/run/a b', db: 0 }, 'unix:///run/a%20b'],
    [
      'unix://u:secret@/run/redis.sock',
      { path: '/run/redis.sock', db: 0, username: 'u', password: 'secret' },
      'unix://u:***@/run/redis.sock',
    ],
  ])('%s', (url, options, shown) => {
    expect(parseRedisUrl(url)).toEqual({ options, shown });
  });

  it.each([
    'http://:secret@h',
    'localhost:6379',
    'secret',
    'redis://',
    'redis://:secret@h/x',
    'redis://:secret@h?timeout=3',
    'redis://:secret%ZZ@h',
    'unix://',
    'unix://h/secret?db=x',
  ])('P11: %s is refused without being repeated', url => {
    let error: unknown;
    try {
      parseRedisUrl(url);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: 'REDIS_URL_INVALID', remedy: expect.stringContaining('redis://') });
    expect(String(error)).not.toContain('secret');
  });
});
