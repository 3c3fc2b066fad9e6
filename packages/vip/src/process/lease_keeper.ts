import type { VipLease } from '@limpet/state';
import type { Action, Event } from '../pair/events.ts';
import type { Terms } from '../pair/terms.ts';

type LeaseAction = Extract<Action, { do: 'look' | 'take' | 'renew' | 'give' }>;

/** Asks Redis, and tells what it answered. Everything that goes wrong is one answer: `away`. */
export class LeaseKeeper {
  readonly #lease: VipLease;
  readonly #terms: Terms;
  readonly #takeDeadlineMs: number;
  readonly #tell: (event: Event) => void;
  #isLooking = false;

  constructor(lease: VipLease, terms: Terms, deadlineMs: number, tell: (event: Event) => void) {
    this.#lease = lease;
    this.#terms = terms;
    // While nobody holds the address, a Redis that hangs is not waited for.
    this.#takeDeadlineMs = Math.min(deadlineMs, Math.max(terms.deadMs / 2, 10));
    this.#tell = tell;
  }

  run(action: LeaseAction): void {
    if (action.do === 'look') void this.#look();
    else if (action.do === 'take') void this.#take(action.above, action.staleMs);
    else if (action.do === 'renew') void this.#renew(action.fence, action.staleMs);
    else void this.#lease.give(action.fence).catch(() => undefined);
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const fence = await this.#lease.look().catch(() => undefined);
    this.#isLooking = false;
    if (fence === undefined) return this.#tell({ kind: 'looked', answer: { is: 'away' } });
    this.#tell({ kind: 'looked', answer: fence === null ? { is: 'none' } : { is: 'entry', fence } });
  }

  async #take(above: number, staleMs: number): Promise<void> {
    const sentMs = performance.now();
    const { index } = this.#terms;
    const taken = await this.#lease.take({ above, index, staleMs }, this.#takeDeadlineMs).catch(() => null);
    this.#tell({ kind: 'took', sentMs, answer: taken ?? { is: 'away' } });
  }

  async #renew(fence: number, staleMs: number): Promise<void> {
    const sentMs = performance.now();
    const renewed = await this.#lease.renew(fence, staleMs).catch(() => null);
    if (renewed === null) return this.#tell({ kind: 'renewed', sentMs, fence, answer: { is: 'away' } });
    const answer = { is: renewed.kept ? 'kept' : 'lost', fence: renewed.fence } as const;
    this.#tell({ kind: 'renewed', sentMs, fence, answer });
  }
}
