/** How many clients of a frontend may wait in a worker: a quarter of a second's worth of all of them. */
const WAITING_MS = 250;
/** One line to the primary takes them all. */
const MOST_WAITING = 256;

/** How many accepted clients may wait for their turn in one worker, where a frontend has a `conn_rate`. */
export function waitingPlaces(connRate: number, workers: number): number {
  const share = Math.ceil((connRate * WAITING_MS) / 1000 / workers);
  return Math.min(Math.max(share, 1), MOST_WAITING);
}

/**
 * Clients that a worker has accepted, and that wait for their turn. Few: when there is no place left the worker accepts
 * no more, and the rest wait in the kernel's backlog, where they cost nothing.
 */
export class WaitingRoom {
  #places: number;
  #waiting = 0;
  #refused = false;
  #onRoom: () => void = () => {};

  constructor(places: number) {
    this.#places = places;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Places that are left; 0 or less: none. */
  get room(): number {
    return this.#places - this.#waiting;
  }

  /** From now on with so many places; whoever waits keeps its own. */
  setPlaces(places: number): void {
    this.#places = places;
    if (this.#refused && this.#waiting < places) this.#tell();
  }

  /** Called when there is room again after enter() said no. */
  onRoom(listener: () => void): void {
    this.#onRoom = listener;
  }

  /** False: there is no place; wait for onRoom. */
  enter(): boolean {
    this.#refused = this.#waiting >= this.#places;
    if (!this.#refused) this.#waiting += 1;
    return !this.#refused;
  }

  /** Waits though there may be no place. */
  enterAnyway(): void {
    this.#waiting += 1;
  }

  /** It is somebody's turn, or somebody has gone. */
  leave(): void {
    this.#waiting -= 1;
    // To begin to accept again costs a word with the primary: not for every single place.
    if (this.#refused && this.#waiting <= this.#places / 2) this.#tell();
  }

  #tell(): void {
    this.#refused = false;
    this.#onRoom();
  }
}
