import type { Bindings } from './bindings.ts';
import type { WorkerLink } from './supervisor.ts';
import type { BindRef } from './wire.ts';

export interface ReliefPremises {
  readonly bindings: Pick<Bindings, 'refs' | 'edition'>;
  /** How many slots there are. */
  slots(): number;
  /** The workers that have one: none that drains. */
  holders(): readonly Pick<WorkerLink, 'id' | 'slot' | 'say'>[];
}

interface Told {
  readonly edition: number;
  /** Of its sockets, as text. */
  readonly indexes: string;
}

/**
 * Who listens on what: each worker on its own sockets, and on those of all workers that are full. For the kernel gives each
 * client to a socket whether its worker has descriptors left or not: so none waits there while another worker has room.
 */
export class Relief {
  readonly #premises: ReliefPremises;
  /** Workers that have said that they are full. */
  readonly #full = new Set<number>();
  /** worker → what it was told last. */
  readonly #told = new Map<number, Told>();

  constructor(premises: ReliefPremises) {
    this.#premises = premises;
  }

  refs({ slot }: Pick<WorkerLink, 'slot'>): BindRef[] {
    const { bindings, slots, holders } = this.#premises;
    const full = holders().filter(({ id }) => this.#full.has(id));
    return bindings.refs(slot, slots(), new Set(full.map(holder => holder.slot)));
  }

  /** The same for a worker that is told a configuration, and these with it. */
  refsToTell(worker: Pick<WorkerLink, 'id' | 'slot'>): BindRef[] {
    const refs = this.refs(worker);
    this.#told.set(worker.id, this.#asTold(refs));
    return refs;
  }

  said({ id }: Pick<WorkerLink, 'id'>, isFull: boolean): void {
    if (isFull) this.#full.add(id);
    else this.#full.delete(id);
    this.#tellAll();
  }

  /** It is dead, or drains: whoever takes its slot over has room. */
  gone({ id }: Pick<WorkerLink, 'id'>): void {
    this.#told.delete(id);
    if (this.#full.delete(id)) this.#tellAll();
  }

  /** Only those for whom it is another answer. Who has not been told the configuration in use will be told both. */
  #tellAll(): void {
    const { bindings, holders } = this.#premises;
    for (const worker of holders()) {
      const before = this.#told.get(worker.id);
      if (before === undefined || before.edition !== bindings.edition) continue;
      const refs = this.refs(worker);
      if (this.#asTold(refs).indexes === before.indexes) continue;
      this.#told.set(worker.id, this.#asTold(refs));
      worker.say(['binds', refs]);
    }
  }

  #asTold(refs: readonly BindRef[]): Told {
    return { edition: this.#premises.bindings.edition, indexes: refs.map(({ index }) => index).join(' ') };
  }
}
