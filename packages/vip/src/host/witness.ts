import { existsSync, readFileSync } from 'node:fs';

/** What the interface itself says. */
export interface LinkState {
  readonly hasCarrier: boolean;
  /** Something but multicast has come in since the last look: switches go on sending that into a dead segment. */
  readonly hasReceived: boolean;
}

/** IFF_UP. */
const isUp = 1;

export class Witness {
  readonly #device: string;
  readonly #folder: string;
  #received: number | null = null;

  constructor(device: string) {
    this.#device = device;
    this.#folder = `/sys/class/net/${device}`;
  }

  look(): LinkState {
    const received = this.#number('statistics/rx_packets') - this.#number('statistics/multicast');
    const before = this.#received;
    this.#received = received;
    return { hasCarrier: this.hasCarrier(), hasReceived: before !== null && received > before };
  }

  hasCarrier(): boolean {
    return this.trouble() === null;
  }

  /** Why nothing can go in or out by the interface; null: it can. */
  trouble(): string | null {
    if (this.#number('carrier') === 1 && (this.#number('flags') & isUp) !== 0) return null;
    if (!existsSync(this.#folder)) return `there is no interface ${this.#device}`;
    return (this.#number('flags') & isUp) === 0 ? `${this.#device} is down` : `${this.#device} has no carrier`;
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
