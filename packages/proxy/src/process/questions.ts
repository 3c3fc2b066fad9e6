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
  readonly answers: Answer[];
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

  /** At most `limit` sessions that match, in no order. */
  async list(filter: SessionFilter, limit: number): Promise<readonly SessionFacts[]> {
    const answers = await this.#ask({ kind: 'list', filter, limit });
    return answers.flatMap(answer => (typeof answer === 'number' ? [] : answer)).slice(0, limit);
  }

  /** Ends those that match, and answers how many. */
  async end(filter: SessionFilter): Promise<number> {
    const answers = await this.#ask({ kind: 'end', filter });
    return answers.reduce<number>((sum, answer) => sum + (typeof answer === 'number' ? answer : answer.length), 0);
  }

  told(worker: number, call: number, answer: Answer): void {
    const open = this.#open.get(call);
    if (open === undefined || !open.waitsFor.delete(worker)) return;
    open.answers.push(answer);
    if (open.waitsFor.size === 0) open.done();
  }

  workerGone(worker: number): void {
    for (const open of this.#open.values()) {
      if (open.waitsFor.delete(worker) && open.waitsFor.size === 0) open.done();
    }
  }

  async #ask(question: SessionQuestion): Promise<readonly Answer[]> {
    const workers = this.#workers();
    if (workers.length === 0) return [];
    this.#calls += 1;
    const call = this.#calls;
    const answers: Answer[] = [];
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
