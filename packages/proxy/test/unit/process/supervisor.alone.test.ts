import cluster from 'node:cluster';
import { EventEmitter } from 'node:events';
import { afterEach, expect, test, vi } from 'vitest';
import { SILENT } from '../../../src/log.ts';
import { Supervisor, type WorkerLink } from '../../../src/process/supervisor.ts';

vi.mock('node:cluster', () => ({ default: { setupPrimary: vi.fn(), fork: vi.fn() } }));

/** A worker's process, as node:cluster shows it; it dies of any signal. */
class FakeWorker extends EventEmitter {
  readonly id: number;
  readonly process = {
    pid: 1,
    kill: (signal: string): void => void this.emit('exit', null, signal),
  };

  constructor(id: number) {
    super();
    this.id = id;
  }

  isConnected(): boolean {
    return true;
  }

  send(): void {}
}

function scene(workers: number) {
  const forked: FakeWorker[] = [];
  vi.mocked(cluster.fork as () => unknown).mockImplementation(() => {
    const worker = new FakeWorker(forked.length + 1);
    forked.push(worker);
    return worker;
  });
  const gone: number[] = [];
  const loaded: WorkerLink[] = [];
  const events = {
    loaded: (worker: WorkerLink) => void loaded.push(worker),
    said() {},
    gone: (worker: WorkerLink) => void gone.push(worker.id),
    failed() {},
  };
  const supervisor = new Supervisor(workers, events, SILENT);
  supervisor.start();
  return { supervisor, forked, gone };
}

afterEach(() => {
  vi.useRealTimers();
});

test('P8: a stop while a worker is being replaced waits for those that serve only', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const { supervisor, forked, gone } = scene(2);
  for (const worker of supervisor.workers()) supervisor.markReady(worker);
  forked[0]?.process.kill('SIGKILL');
  await vi.advanceTimersByTimeAsync(0);
  expect(supervisor.workers().map(({ id }) => id)).toEqual([3, 2]);
  let isOver = false;
  const stopped = supervisor.stop().then(() => {
    isOver = true;
  });
  expect([supervisor.workers().map(({ id }) => id), gone]).toEqual([[2], [1, 3]]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect([isOver, forked.length]).toEqual([false, 3]);
  forked[1]?.emit('exit', 0, null);
  await stopped;
});
