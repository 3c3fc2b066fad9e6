import type { SessionFacts, SessionFilter } from '../account/session_facts.ts';
import type { SessionQuestion, ToWorker } from './wire.ts';

/** Whom the primary asks. */
interface Asked {
  readonly id: number;
  say(message: ToWorker): void;
}

type Answer = readonly SessionFacts[] | number;

interface Open {
  /** Workers that have not answered. */
  readonly waitsFor: Set<number>;
  /** worker → what it has said, in parts. */
  readonly answers: Map<number, Answer[]>;
  readonly done: () => void;
}

const DEADLINE_MS = 2000;

/** Asks all workers about their sessions. A worker that does not answer within 2 s, or dies, is left out. */
export class Questions {
  readonly #workers: () => readonly Asked[];
  readonly #open = new Map<number, Open>();
  #calls = 0;

  constructor(workers: () => readonly Asked[]) {
    this.#workers = workers;
  }

  /**
   * At most `limit` sessions that match, in no order. Each worker is asked for its share; where others have less than
   * theirs, those that may have more are asked again. So no more than twice the limit ever comes here.
   */
  async list(filter: SessionFilter, limit: number): Promise<readonly SessionFacts[]> {
    const workers = this.#workers();
    const share = Math.ceil(limit / Math.max(1, workers.length));
    const found = sessionsOf(await this.#ask({ kind: 'list', filter, limit: share }, workers));
    const missing = limit - sumOf(found);
    const full = workers.filter(({ id }) => found.get(id)?.length === share);
    if (missing > 0 && full.length > 0) {
      const more = sessionsOf(await this.#ask({ kind: 'list', filter, limit: share + missing }, full));
      // One that has become too slow for a second answer has given its first.
      for (const [id, sessions] of more) if (sessions.length >= share) found.set(id, sessions);
    }
    return [...found.values()].flat().slice(0, limit);
  }

  /** Ends those that match, and answers how many. */
  async end(filter: SessionFilter): Promise<number> {
    const answers = await this.#ask({ kind: 'end', filter });
    const counts = [...answers.values()].flat().map(answer => (typeof answer === 'number' ? answer : answer.length));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** Has the entries of live sessions renewed, or that of one key (null: all). */
  async renew(backend: string, key: string | null): Promise<void> {
    await this.#ask({ kind: 'renew', backend, key });
  }

  /** Some of a worker's answer; told() brings the rest. */
  part(worker: number, call: number, sessions: readonly SessionFacts[]): void {
    const open = this.#open.get(call);
    if (open?.waitsFor.has(worker)) open.answers.get(worker)?.push(sessions);
  }

  told(worker: number, call: number, answer: Answer): void {
    const open = this.#open.get(call);
    if (open === undefined || !open.waitsFor.delete(worker)) return;
    open.answers.get(worker)?.push(answer);
    if (open.waitsFor.size === 0) open.done();
  }

  workerGone(worker: number): void {
    for (const open of this.#open.values()) {
      if (open.waitsFor.delete(worker) && open.waitsFor.size === 0) open.done();
    }
  }

  async #ask(
    question: SessionQuestion,
    workers: readonly Asked[] = this.#workers(),
  ): Promise<ReadonlyMap<number, readonly Answer[]>> {
    const answers = new Map<number, Answer[]>(workers.map(({ id }) => [id, []]));
    if (workers.length === 0) return answers;
    this.#calls += 1;
    const call = this.#calls;
    await new Promise<void>(resolve => {
      const timer = setTimeout(() => finish(), DEADLINE_MS);
      const finish = (): void => {
        clearTimeout(timer);
        this.#open.delete(call);
        resolve();
      };
      this.#open.set(call, { waitsFor: new Set(workers.map(({ id }) => id)), answers, done: finish });
      for (const worker of workers) worker.say(['ask', call, question]);
    });
    return answers;
  }
}

/** worker → the sessions that it has listed. */
function sessionsOf(answers: ReadonlyMap<number, readonly Answer[]>): Map<number, readonly SessionFacts[]> {
  const listed = [...answers].map(([worker, parts]): [number, readonly SessionFacts[]] => [
    worker,
    parts.flatMap(part => (typeof part === 'number' ? [] : part)),
  ]);
  return new Map(listed);
}

function sumOf(found: ReadonlyMap<number, readonly SessionFacts[]>): number {
  return [...found.values()].reduce((sum, { length }) => sum + length, 0);
}
