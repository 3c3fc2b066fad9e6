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

function scene(workers: number, numbersBefore = 0) {
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
  supervisor.numberFrom(numbersBefore);
  supervisor.start();
  /** All that run have been told to start, and do so. */
  const allServe = (): void => {
    for (const worker of supervisor.workers()) {
      forked[worker.id - 1]?.emit('message', [['hello']]);
      supervisor.markReady(worker);
    }
  };
  return { supervisor, forked, gone, allServe };
}

afterEach(() => {
  vi.useRealTimers();
});

test('P8: a stop while a worker is being replaced waits for those that serve only', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const { supervisor, forked, gone, allServe } = scene(2);
  allServe();
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

test('more workers are forked; the surplus drains, is not replaced, and is still spoken with', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const { supervisor, forked, gone, allServe } = scene(2);
  allServe();
  supervisor.resize(3);
  expect(forked).toHaveLength(3);
  allServe();
  supervisor.resize(1);
  const states = (): string[] => supervisor.workers().map(worker => `${worker.id} ${supervisor.state(worker)}`);
  expect(states()).toEqual(['1 ready', '2 draining', '3 draining']);
  supervisor.resize(2);
  expect(states()).toEqual(['1 ready', '4 starting', '2 draining', '3 draining']);
  forked[1]?.emit('exit', 0, null);
  await vi.advanceTimersByTimeAsync(60_000);
  expect([states(), gone, forked.length]).toEqual([['1 ready', '4 starting', '3 draining'], [2], 4]);
});

test('a surplus worker that serves nobody yet ends at once, and one that waits to be replaced is not', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const { supervisor, forked, gone, allServe } = scene(3);
  allServe();
  forked[2]?.process.kill('SIGKILL');
  supervisor.resize(2);
  await vi.advanceTimersByTimeAsync(60_000);
  expect([forked.length, gone]).toEqual([3, [3]]);
  supervisor.resize(3);
  supervisor.resize(2);
  expect([forked.length, gone]).toEqual([4, [3, 4]]);
});

test('P9: a surplus worker that has been told to start may have clients already: it drains', () => {
  const { supervisor, forked, gone, allServe } = scene(1);
  allServe();
  supervisor.resize(2);
  forked[1]?.emit('message', [['hello']]);
  supervisor.resize(1);
  expect([supervisor.workers().map(worker => supervisor.state(worker)), gone]).toEqual([['ready', 'draining'], []]);
});

test('P9: one that cannot be relied upon is replaced while its sessions live on', () => {
  const { supervisor, forked, allServe } = scene(1);
  const [first] = supervisor.workers();
  if (first === undefined) throw new Error('no worker');
  allServe();
  supervisor.replace(first);
  expect(forked).toHaveLength(2);
  expect(supervisor.workers().map(worker => [worker.id, worker.slot, supervisor.state(worker)])).toEqual([
    [2, 0, 'starting'],
    [1, 0, 'draining'],
  ]);
});

test('P9: numbers go on behind those of the process before, for they are in the names of owners in the store', () => {
  const { supervisor } = scene(2);
  expect([supervisor.workers().map(({ id }) => id), supervisor.lastNumber]).toEqual([[1, 2], 2]);
  const heir = scene(2, supervisor.lastNumber).supervisor;
  expect([heir.workers().map(({ id }) => id), heir.lastNumber]).toEqual([[3, 4], 4]);
});
