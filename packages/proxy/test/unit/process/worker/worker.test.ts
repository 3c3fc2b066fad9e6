import { StateError } from '@limpet/state';
import { expect, test } from 'vitest';
import { LimpetError } from '../../../../src/errors.ts';
import { failureOf } from '../../../../src/process/worker/worker.ts';

test.each([new LimpetError('BIND_FAILED', 'what', 'do this'), new StateError('REDIS_URL_INVALID', 'what', 'do this')])(
  'P11: a worker that cannot go on says what to do about $code',
  error => {
    expect(failureOf(error)).toEqual(['failed', error.code, 'what', 'do this']);
  },
);

test('P11: an error that nobody foresaw is called a bug, with its stack', () => {
  const error = new TypeError('x is not a function');
  expect(failureOf(error)).toEqual([
    'failed',
    'WORKER_FAILED',
    error.stack,
    expect.stringContaining('a bug of Limpet'),
  ]);
});
