import type { FrontendConfig } from '../config/resolved.ts';
import { Admission, type AdmissionLimits, type Lessor } from '../listen/admission.ts';
import { leaseBlock } from '../listen/leases.ts';
import { WaitingRoom, waitingPlaces } from './waiting_room.ts';

/** Something that has room for so many. */
export interface Room {
  /** How many more may enter, as far as is known here; 0 or less: none. */
  readonly room: number;
  enter(): boolean;
  /** Counts one more, above the limit if need be. */
  enterAnyway(): void;
  leave(): void;
}

/**
 * A frontend's door in one worker: whether there is room for one more of its connections, by its own `maxconn`, by
 * `global.maxconn`, and by how many wait because of its `conn_rate`. Where there is none its listeners pause.
 */
export class Door {
  /** Counts also where nothing limits it, for a reload may bring a limit. */
  readonly #waiting: WaitingRoom;
  readonly #global: Room;
  readonly #lessor: Lessor;
  #own: Admission | null = null;
  /** Connections that have entered and not left. */
  #inside = 0;
  #onRoom: () => void = () => {};

  /**
   * @param global the worker's share of `global.maxconn`; whoever owns it makes all listeners go on when it has room
   * @param lessor asks the primary for connections of this frontend's `maxconn`; unused where it has none
   */
  constructor(frontend: FrontendConfig, workers: number, global: Room, lessor: Lessor) {
    this.#global = global;
    this.#lessor = lessor;
    this.#waiting = new WaitingRoom(placesOf(frontend, workers));
    this.#own = frontend.maxconn === null ? null : new Admission(lessor, ownLimits(frontend.maxconn, workers));
  }

  /** Asks for the first connections. */
  start(): void {
    this.#own?.start();
  }

  /**
   * Goes over to other limits; the primary has done so already. Whoever is inside stays, and counts. Where the limit that
   * said no is gone, onRoom's listener is called.
   */
  reconfigure(frontend: FrontendConfig, workers: number): void {
    const { maxconn } = frontend;
    this.#waiting.setPlaces(placesOf(frontend, workers));
    if (maxconn === null) {
      const hadLimit = this.#own !== null;
      this.#own = null;
      if (hadLimit) this.#onRoom();
    } else if (this.#own === null) {
      this.#own = new Admission(this.#lessor, ownLimits(maxconn, workers), this.#inside);
      this.#own.onRoom(this.#onRoom);
      this.#own.catchUp();
    } else this.#own.reconfigure(ownLimits(maxconn, workers));
  }

  /** Called when there is room again after enter() said no, unless it was `global` that said it. */
  onRoom(listener: () => void): void {
    this.#onRoom = listener;
    this.#waiting.onRoom(listener);
    this.#own?.onRoom(listener);
  }

  /** How many more may enter now, as far as is known in this worker; 0 or less: none. */
  get room(): number {
    return Math.min(this.#waiting.room, this.#own?.room ?? Number.POSITIVE_INFINITY, this.#global.room);
  }

  /** One connection more. False: there is no room now. */
  enter(): boolean {
    if (!this.#waiting.enter()) return false;
    if (this.#own !== null && !this.#own.enter()) {
      this.#waiting.leave();
      return false;
    }
    // The whole proxy's connections last: a frontend that is full asks for none of them.
    if (!this.#global.enter()) {
      this.#own?.leave();
      this.#waiting.leave();
      return false;
    }
    this.#inside += 1;
    return true;
  }

  /** One connection more, whether there is room or not: it is accepted, and its listener closes. */
  enterAnyway(): void {
    this.#waiting.enterAnyway();
    this.#own?.enterAnyway();
    this.#global.enterAnyway();
    this.#inside += 1;
  }

  /** The primary has said its word about a connection that has entered, or it has gone before: it waits no more. */
  answered(): void {
    this.#waiting.leave();
  }

  /** A connection that had entered has ended. */
  leave(): void {
    this.#inside -= 1;
    this.#own?.leave();
    this.#global.leave();
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

function placesOf({ connRate }: FrontendConfig, workers: number): number {
  return connRate === null ? Number.POSITIVE_INFINITY : waitingPlaces(connRate, workers);
}

function ownLimits(maxconn: number, workers: number): AdmissionLimits {
  return { block: leaseBlock(maxconn, workers), most: Number.POSITIVE_INFINITY, over: 0 };
}
