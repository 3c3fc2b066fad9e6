import { expect, test } from 'vitest';
import { Rollout } from '../../../src/process/rollout.ts';
import type { ToWorker } from '../../../src/process/wire.ts';

function scene(ids: readonly number[], deadlineMs = 60_000) {
  const said: ToWorker[] = [];
  const rollout = new Rollout(deadlineMs);
  const workers = ids.map(id => ({ id, say: (message: ToWorker) => void said.push(message) }));
  const message = (generation: number): ToWorker => ['config', generation, {} as never, [], { binds: [], servers: [] }];
  return { said, rollout, toAll: () => rollout.toAll(workers, message) };
}

test('resolves when all have answered; one that dies meanwhile need not', async () => {
  const { said, rollout, toAll } = scene([1, 2, 3]);
  const done = toAll();
  expect(said.map(([word, generation]) => [word, generation])).toEqual(Array(3).fill(['config', 1]));
  rollout.configured(1, 1, null);
  rollout.workerGone(2);
  rollout.configured(3, 1, null);
  expect(await done).toEqual({ failed: [], late: null });
});

test('who could not take it over is named, with its reason', async () => {
  const { rollout, toAll } = scene([1, 2]);
  const done = toAll();
  rollout.configured(2, 1, 'no such file');
  rollout.configured(1, 1, null);
  expect((await done).failed.map(({ worker, error }) => [worker.id, error])).toEqual([[2, 'no such file']]);
});

test('an answer to an earlier one counts for nothing', async () => {
  const { rollout, toAll } = scene([1]);
  const first = toAll();
  rollout.configured(1, 1, null);
  await first;
  const second = toAll();
  rollout.configured(1, 1, 'late');
  rollout.configured(1, 2, null);
  expect(await second).toEqual({ failed: [], late: null });
});

test('one that does not answer in time is named', async () => {
  const { rollout, toAll } = scene([1, 7], 10);
  const done = toAll();
  rollout.configured(1, 1, null);
  expect((await done).late).toMatchObject({ code: 'RELOAD_LATE', message: expect.stringContaining('worker 7 has') });
});

test('where one is late, those that failed are named all the same; what the late one says then is not lost', async () => {
  const { rollout, toAll } = scene([1, 7], 10);
  const done = toAll();
  rollout.configured(1, 1, 'no such file');
  const { failed, late } = await done;
  expect([failed.map(({ worker }) => worker.id), late?.code]).toEqual([[1], 'RELOAD_LATE']);
  expect(rollout.configured(7, 1, 'no such file')).toBe(false);
});

test('a late answer to an earlier one is of no use: the newer one is on its way', async () => {
  const { rollout, toAll } = scene([7], 10);
  await toAll();
  await toAll();
  expect(rollout.configured(7, 1, 'no such file')).toBe(true);
});

test('without workers there is nobody to wait for', async () => {
  expect(await scene([]).toAll()).toEqual({ failed: [], late: null });
});
