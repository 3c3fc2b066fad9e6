import type { FrontendConfig } from '../config/resolved.ts';
import { Admission, type Lessor } from '../listen/admission.ts';
import { leaseBlock } from '../listen/leases.ts';
import { WaitingRoom, waitingPlaces } from './waiting_room.ts';

/** Something that has room for so many. */
export interface Room {
  enter(): boolean;
  leave(): void;
}

/**
 * A frontend's door in one worker: whether there is room for one more of its connections, by its own `maxconn`, by
 * `global.maxconn`, and by how many wait because of its `conn_rate`. Where there is none its listeners pause.
 */
export class Door {
  readonly #waiting: WaitingRoom | null;
  readonly #own: Admission | null;
  readonly #rooms: readonly Room[];

  /**
   * @param global the worker's share of `global.maxconn`; whoever owns it makes all listeners go on when it has room
   * @param lessor asks the primary for connections of this frontend's `maxconn`; unused where it has none
   */
  constructor(frontend: FrontendConfig, workers: number, global: Room, lessor: Lessor) {
    const { maxconn, connRate } = frontend;
    this.#waiting = connRate === null ? null : new WaitingRoom(waitingPlaces(connRate, workers));
    const limits = { block: leaseBlock(maxconn ?? 0, workers), most: Number.POSITIVE_INFINITY };
    this.#own = maxconn === null ? null : new Admission(lessor, limits);
    // The whole proxy's connections last: a frontend that is full asks for none of them.
    this.#rooms = [this.#waiting, this.#own, global].filter(room => room !== null);
  }

  /** Asks for the first connections. */
  start(): void {
    this.#own?.start();
  }

  /** Called when there is room again after enter() said no, unless it was `global` that said it. */
  onRoom(listener: () => void): void {
    this.#waiting?.onRoom(listener);
    this.#own?.onRoom(listener);
  }

  /** One connection more. False: there is no room now. */
  enter(): boolean {
    const entered: Room[] = [];
    for (const room of this.#rooms) {
      if (!room.enter()) {
        for (const other of entered) other.leave();
        return false;
      }
      entered.push(room);
    }
    return true;
  }

  /** The primary has said its word about a connection that has entered, or it has gone before: it waits no more. */
  answered(): void {
    this.#waiting?.leave();
  }

  /** A connection that had entered has ended. */
  leave(): void {
    for (const room of this.#rooms) if (room !== this.#waiting) room.leave();
  }

  /** The primary has leased so many more of the frontend's connections. */
  granted(count: number): void {
    this.#own?.granted(count);
  }

  /** Other workers wait for what this one does not use. */
  recall(): void {
    this.#own?.recall();
  }
}
