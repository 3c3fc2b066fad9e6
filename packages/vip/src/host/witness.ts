import { readFileSync } from 'node:fs';

/** What the interface itself says. */
export interface LinkState {
  readonly hasCarrier: boolean;
  /** Something but multicast has come in since the last look: switches go on sending that into a dead segment. */
  readonly hasReceived: boolean;
}

export class Witness {
  readonly #folder: string;
  #received: number | null = null;

  constructor(device: string) {
    this.#folder = `/sys/class/net/${device}`;
  }

  look(): LinkState {
    const received = this.#number('statistics/rx_packets') - this.#number('statistics/multicast');
    const before = this.#received;
    this.#received = received;
    const hasCarrier = this.#number('carrier') === 1 && (this.#number('flags') & 1) === 1;
    return { hasCarrier, hasReceived: before !== null && received > before };
  }

  /** 0 where the interface is down, or gone. */
  #number(name: string): number {
    try {
      return Number(readFileSync(`${this.#folder}/${name}`, 'latin1'));
    } catch {
      return 0;
    }
  }
}
