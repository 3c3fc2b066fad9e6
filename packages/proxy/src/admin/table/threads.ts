import { fileURLToPath } from 'node:url';
import type { MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { LimpetError } from '../../errors.ts';
import type { TableTask, TaskResult, TaskValues } from './task.ts';

/** Table commands are rare and may last as long as their reader likes, so a thread has several of them at a time. */
const THREADS = 2;
const TASKS_PER_THREAD = 16;
/** Commands that wait for a thread. */
const QUEUED = 64;
/** A thread without a task ends after so long. */
const IDLE_MS = 10_000;
/** Of V8's heap in one thread: an export needs some 10 MB. */
const HEAP_MB = 256;

export interface ThreadOptions {
  /** Arguments of Node for the threads; default: those of this process. */
  readonly execArgv?: readonly string[];
}

/** Threads for table commands that last. There are none until the first, and none a while after the last. */
export class Threads {
  readonly #options: ThreadOptions;
  #pool: Piscina | null = null;
  #isClosed = false;

  constructor(options: ThreadOptions = {}) {
    this.#options = options;
  }

  /** Threads that run now. */
  get count(): number {
    return this.#pool?.threads.length ?? 0;
  }

  /**
   * Has a task done.
   * @throws LimpetError STATE_*, TABLE_BUSY, TABLE_THREAD
   */
  async run<T extends TableTask>(task: T, ports: readonly MessagePort[] = []): Promise<TaskValues[T['kind']]> {
    if (this.#isClosed) throw new LimpetError('TABLE_CLOSED', 'the proxy is stopping', 'ask the one that follows it');
    this.#pool ??= this.#open();
    if (this.#pool.queueSize >= QUEUED) {
      throw new LimpetError('TABLE_BUSY', 'too many table commands run at once', 'try again when some have ended');
    }
    let result: TaskResult<TaskValues[T['kind']]>;
    try {
      result = await this.#pool.run(task, { transferList: [...ports] });
    } catch (error) {
      const what = `a table thread has failed: ${error instanceof Error ? error.message : String(error)}`;
      throw new LimpetError('TABLE_THREAD', what, 'try again; if it fails again, please report it');
    }
    if (result.ok) return result.value;
    throw new LimpetError(result.code, result.what, result.remedy);
  }

  /** Ends all threads and what they do. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#pool?.destroy();
    this.#pool = null;
  }

  #open(): Piscina {
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const { execArgv } = this.#options;
    return new Piscina({
      filename: fileURLToPath(new URL(`./thread.${extension}`, import.meta.url)),
      minThreads: 0,
      maxThreads: THREADS,
      concurrentTasksPerWorker: TASKS_PER_THREAD,
      maxQueue: QUEUED + 1,
      idleTimeout: IDLE_MS,
      // Threads have sockets and ports of their own to attend to between tasks.
      atomics: 'disabled',
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
      ...(execArgv === undefined ? {} : { execArgv: [...execArgv] }),
    });
  }
}
