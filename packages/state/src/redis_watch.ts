import type { RedisFleet } from './redis_fleet.ts';
import type { Lookout } from './redis_lookout.ts';
import { StateError } from './state_error.ts';

/** How often it is asked who has the keys: while all is well, and while something is away. */
const calmMs = 1000;
const uneasyMs = 200;
/** And this long after the last time, where a server says that it has not a key (any more). */
const urgentMs = 20;

/** Keeps a fleet up to date with what a lookout sees. Begins at once; its maker closes it. */
export class FleetWatch {
  readonly #fleet: RedisFleet;
  readonly #lookout: Lookout;
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;
  #isUrgent = false;
  #isClosed = false;

  constructor(fleet: RedisFleet, lookout: Lookout) {
    this.#fleet = fleet;
    this.#lookout = lookout;
    void this.#look();
  }

  /** What is known is not right any more. */
  hurry(): void {
    if (this.#isUrgent || this.#isClosed) return;
    this.#isUrgent = true;
    if (!this.#isLooking) this.#wait(urgentMs);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#lookout.close();
  }

  async #look(): Promise<void> {
    this.#isLooking = true;
    this.#isUrgent = false;
    try {
      this.#fleet.apply(await this.#lookout.look());
    } catch (error) {
      if (!(error instanceof StateError)) throw error;
      this.#fleet.lost(error);
    }
    this.#isLooking = false;
    if (!this.#isClosed) this.#wait(this.#isUrgent ? urgentMs : this.#fleet.isSettled ? calmMs : uneasyMs);
  }

  #wait(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#look(), ms).unref();
  }
}
