import type { Lane } from '../../account/lane.ts';
import type { Place } from '../../account/registry.ts';
import type { SessionFacts } from '../../account/session_facts.ts';
import type { Door } from '../../gate/door.ts';
import type { StopReason } from '../../stages.ts';
import type { Eviction, LiveSession, ServerFall, Serving, Visit } from '../../workshop.ts';

/** Who is told that a connection is over. */
export interface GuestHost {
  left(guest: Guest): void;
}

/** Before it is a session: not in the registry, so nobody asks. */
const NOBODY_SERVES: Serving = {
  facts() {
    throw new Error('asked about a connection that is no session yet');
  },
  stop() {},
  serverFell() {},
  evict: () => false,
};

/** What the reception knows of a connection, and gives back at its end. */
export interface GuestTerms {
  readonly id: number;
  readonly frontend: string;
  readonly localAddress: string;
  readonly door: Door;
  /** Where it is counted: frontend, bind, worker. */
  readonly entrance: Lane;
  readonly generation: number;
  /** The primary was to be asked about it. */
  readonly isGated: boolean;
}

/** A connection of one worker. One of the two objects that an idle session consists of; the other one is its `Sitting`. */
export class Guest implements Visit {
  readonly id: number;
  readonly frontend: string;
  readonly localAddress: string;
  readonly door: Door;
  readonly entrance: Lane;
  readonly generation: number;
  readonly isGated: boolean;
  place: Place<LiveSession> | null = null;
  serving: Serving = NOBODY_SERVES;
  readonly #host: GuestHost;

  constructor({ id, frontend, localAddress, door, entrance, generation, isGated }: GuestTerms, host: GuestHost) {
    this.id = id;
    this.frontend = frontend;
    this.localAddress = localAddress;
    this.door = door;
    this.entrance = entrance;
    this.generation = generation;
    this.isGated = isGated;
    this.#host = host;
  }

  facts(): SessionFacts {
    return this.serving.facts();
  }

  stop(reason: StopReason): void {
    this.serving.stop(reason);
  }

  serverFell(why: ServerFall): void {
    this.serving.serverFell(why);
  }

  evict(eviction: Eviction): boolean {
    return this.serving.evict(eviction);
  }

  over(): void {
    this.#host.left(this);
  }
}
