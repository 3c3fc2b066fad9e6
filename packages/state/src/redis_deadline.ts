import { redisFailure, redisTimeout } from './redis_failure.ts';
import type { StateError } from './state_error.ts';

/** Commands of one turn of the event loop that have the same deadline. */
interface Group {
  readonly deadlineMs: number;
  readonly late: ((reason: StateError) => void)[];
  unanswered: number;
  timer: NodeJS.Timeout | null;
}

/**
 * The deadlines of one connection's commands: one timer for all that were sent in one turn of the event loop. It starts at
 * the end of the turn, for that is when they are written.
 *
 * A deadline lies one turn of the event loop behind its timer. After a turn that took long, timers fire before replies are
 * read that arrived meanwhile; so Redis is never blamed for our own delay.
 */
export class RedisDeadlines {
  readonly #address: string;
  /** Of this turn. */
  #groups: Group[] = [];

  constructor(address: string) {
    this.#address = address;
  }

  /** The reply of a command that was just sent. @throws StateError behind the deadline, or for what it fails with */
  within<T>(command: Promise<T>, deadlineMs: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const group = this.#groupOf(deadlineMs);
      group.late.push(reject);
      group.unanswered += 1;
      command.then(
        value => {
          answered(group);
          resolve(value);
        },
        (error: unknown) => {
          answered(group);
          reject(redisFailure(error, this.#address));
        },
      );
    });
  }

  #groupOf(deadlineMs: number): Group {
    const known = this.#groups.find(group => group.deadlineMs === deadlineMs);
    if (known !== undefined) return known;
    if (this.#groups.length === 0) setImmediate(() => this.#arm());
    const group: Group = { deadlineMs, late: [], unanswered: 0, timer: null };
    this.#groups.push(group);
    return group;
  }

  #arm(): void {
    for (const group of this.#groups) {
      const { deadlineMs, late } = group;
      const end = (): void => {
        const reason = redisTimeout(this.#address, deadlineMs);
        for (const reject of late) reject(reason);
      };
      if (group.unanswered > 0) group.timer = setTimeout(() => setImmediate(end), deadlineMs);
    }
    this.#groups = [];
  }
}

function answered(group: Group): void {
  group.unanswered -= 1;
  if (group.unanswered === 0 && group.timer !== null) clearTimeout(group.timer);
}
