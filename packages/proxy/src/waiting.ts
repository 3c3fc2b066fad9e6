import { early, sessionFacts } from './account/live_facts.ts';
import type { SessionFacts } from './account/session_facts.ts';
import type { Connect, Inbound, StopReason } from './stages.ts';
import type { Serving, Workshop } from './workshop.ts';

/** What a session waits for that has no server yet. */
export interface WaitsFor {
  readonly stage: 'preread' | 'queue';
  /** Null: not known, or none. */
  readonly connect: Connect | null;
  readonly backend: string | null;
  /** Ends the waiting. */
  stop(reason: StopReason): void;
}

/** A session that waits: for its CONNECT, or for its turn. No server can fall under it, and it cannot be asked to leave one. */
export class Waiting implements Serving {
  readonly #shop: Workshop;
  readonly #inbound: Inbound;
  readonly #for: WaitsFor;

  constructor(shop: Workshop, inbound: Inbound, waitsFor: WaitsFor) {
    this.#shop = shop;
    this.#inbound = inbound;
    this.#for = waitsFor;
  }

  facts(): SessionFacts {
    const { stage, connect, backend } = this.#for;
    return sessionFacts(this.#shop, this.#inbound, connect, early(this.#inbound, stage, backend));
  }

  stop(reason: StopReason): void {
    this.#for.stop(reason);
  }

  serverFell(): void {}

  evict(): boolean {
    return false;
  }
}
