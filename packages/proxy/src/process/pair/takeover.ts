import type { PaceConfig, VipConfig } from '../../config/resolved.ts';

/** The gate of all CONNECTs, and the workers before it. */
export interface TakeoverGate {
  /** All CONNECTs go at this pace; null: as the rest of the configuration has it. */
  pace(pace: PaceConfig | null): void;
  /** How many wait for it. */
  waiting(): number;
  /** Workers are to ask about each CONNECT, or no more. */
  ask(on: boolean): void;
}

/** How often it is looked whether somebody still waits. */
const LOOK_MS = 200;

/** The first minute of an active proxy, in which all devices come at once: they are let through at a pace. */
export class Takeover {
  readonly #gate: TakeoverGate;
  #timer: NodeJS.Timeout | null = null;
  #untilMs = 0;

  constructor(gate: TakeoverGate) {
    this.#gate = gate;
  }

  /** Of the time that was given; 0: it is not on. At least 1 while somebody still waits. */
  get leftMs(): number {
    return this.isOn ? Math.max(1, Math.ceil(this.#untilMs - performance.now())) : 0;
  }

  get isOn(): boolean {
    return this.#timer !== null;
  }

  /** From now on, for as long as the configuration says, and until nobody waits. */
  begin({ connectRate, paceForMs }: Pick<VipConfig, 'connectRate' | 'paceForMs'>): void {
    this.end();
    if (connectRate === null) return;
    this.#gate.pace(connectRate);
    this.#gate.ask(true);
    this.#untilMs = performance.now() + paceForMs;
    this.#timer = setTimeout(() => this.#look(), paceForMs);
    this.#timer.unref();
  }

  /** Another pace, where it is on; null: none. */
  reconfigure(connectRate: PaceConfig | null): void {
    if (!this.isOn) return;
    if (connectRate === null) this.end();
    else this.#gate.pace(connectRate);
  }

  /** Whoever waits goes. May be called twice. */
  end(): void {
    if (this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#gate.ask(false);
    this.#gate.pace(null);
  }

  #look(): void {
    if (this.#gate.waiting() === 0) {
      this.end();
      return;
    }
    this.#timer = setTimeout(() => this.#look(), LOOK_MS);
    this.#timer.unref();
  }
}
