import { expect, test } from 'vitest';
import { redisSchema } from '../../../src/config/schema/redis.ts';

test.each([
  'redis://h/0?timeout=5',
  'redis://h/123456',
  'redis://:pass%ZZ@h',
  'redis://h?db=x',
  'unix:///run/redis.sock?timeout=5',
  'unix:redis.sock?db=x',
  'unix://:pass%ZZ@/run/redis.sock',
])('P11: %s is refused by the check, as it would be by the workers', url => {
  expect(redisSchema.safeParse({ url }).success).toBe(false);
});

test.each(['redis://h/5', 'redis://h?db=3', 'rediss://u:p%40ss@h', 'unix:redis.sock', 'unix://:p@redis.sock?db=1'])(
  '%s is taken',
  url => {
    expect(redisSchema.safeParse({ url }).success).toBe(true);
  },
);
