import { expect, test } from 'vitest';
import { snake } from '../../../../src/admin/api/snake.ts';

test.each([
  [{ connackP50Ms: 1 }, { connack_p50_ms: 1 }],
  [
    { ulimitN: 1, atMs: 2, name: 'Emqx One' },
    { ulimit_n: 1, at_ms: 2, name: 'Emqx One' },
  ],
  [{ a: [{ bC: null }] }, { a: [{ b_c: null }] }],
  // Keys that are data stay as they are.
  [{ counts: { 'connect:5.0': 1, bytes_in: 2 } }, { counts: { 'connect:5.0': 1, bytes_in: 2 } }],
  [{ servers: { 'emqX/Node1': [1] } }, { servers: { 'emqX/Node1': [1] } }],
])('%j is told as %j', (said, told) => {
  expect(snake(said)).toEqual(told);
});
