import type { SharedCircuit } from './circuit.ts';
import type { RedisNode } from './redis_node.ts';

/** All circuits as one, for those whose keys are on any of them: closed while one of them is. Each hears for itself. */
export class WholeFleet implements SharedCircuit {
  readonly #nodes: () => readonly RedisNode[];
  readonly firstContact: Promise<boolean>;
  #tell: (isThere: boolean) => void = () => {};

  constructor(nodes: () => readonly RedisNode[]) {
    this.#nodes = nodes;
    this.firstContact = new Promise(resolve => {
      this.#tell = resolve;
    });
  }

  get isClosed(): boolean {
    return this.#nodes().some(({ circuit }) => circuit.isClosed);
  }

  changed(): void {
    const contacts = this.#nodes().map(({ circuit }) => circuit.firstContact);
    void Promise.all(contacts).then(all => this.#tell(all.includes(true)));
  }

  lost(): void {
    this.#tell(false);
  }

  succeeded(): void {}

  written(): void {}

  failed(): void {}
}
