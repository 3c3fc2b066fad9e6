import type { CheckConfig } from '../config/resolved.ts';
import { CheckLoop } from './check_loop.ts';
import { type CheckResult, describeCheck, type ProbeOutcome } from './check_status.ts';
import { type Circuit, type CircuitCause, CLOSED, isSuspect, stepCircuit } from './circuit.ts';
import type { Probe } from './probe.ts';
import {
  initialStreak,
  isUp,
  nextIntervalMs,
  returningStreak,
  type Streak,
  type StreakEvent,
  stepStreak,
} from './verdict.ts';

/** What is known of one server's health. */
export interface ServerHealth {
  /** Down: gets no client at all. */
  readonly verdict: 'up' | 'down';
  /** Others are tried first. */
  readonly suspect: boolean;
  /** `Date.now()` when the verdict was last changed, or the watch began. */
  readonly sinceMs: number;
  /** Null before the first check ends, and where there are none. */
  readonly lastCheck: LastCheck | null;
  /** Why the verdict is what it is. */
  readonly reason: string;
}

export interface LastCheck extends CheckResult {
  /** `Date.now()` at its end. */
  readonly atMs: number;
}

/**
 * What clients met on a server:
 * - `dial`: no connection. `connack_timeout`: no CONNACK in time. Both count as a failed check and open the circuit.
 * - `refused`: a CONNACK that another broker may answer differently. `closed`: closed before the CONNACK. A client can
 *   provoke these, so they count for nothing; they only call for a check.
 * - `accepted`: the server took a client. Closes the circuit.
 */
export type PassiveEvent = 'dial' | 'connack_timeout' | 'refused' | 'closed' | 'accepted';

/** How a server is checked. */
export interface Checking {
  readonly config: CheckConfig;
  readonly probe: Probe;
  /** What a passing check shows to be gone. */
  readonly disproves: readonly CircuitCause[];
}

export interface WatchOptions {
  /** Null: not checked; then it is UP while its name resolves, and the circuit closes by time and by clients. */
  readonly checking: Checking | null;
  /** As configured; for the log. */
  readonly hostName: string;
  /** The server's literal address; null: its name does not resolve. */
  address(): string | null;
  /** Something changed. */
  changed(health: ServerHealth, what: { readonly verdict: boolean; readonly suspect: boolean }): void;
  /** This host could not make a check. */
  notMade(code: string): void;
}

const PASSIVE_REASON: Readonly<Record<CircuitCause, string>> = {
  dial: describeCheck({ status: 'L4CON', code: null, info: "a client's dial failed" }),
  connack_timeout: describeCheck({ status: 'L7TOUT', code: null, info: 'a client got no CONNACK' }),
};

/**
 * Watches one server: has it checked, and keeps its streak and its circuit. Whoever made it starts it once and stops it
 * once; nothing is told before the one and after the other.
 */
export class ServerWatch {
  readonly #options: WatchOptions;
  readonly #loop: CheckLoop | null;
  #streak: Streak = { health: 0, passiveCounted: false };
  #circuit: Circuit = CLOSED;
  #circuitTimer: NodeJS.Timeout | undefined;
  #resolves = true;
  #told: { readonly up: boolean; readonly suspect: boolean } = { up: true, suspect: false };
  #sinceMs: number = Date.now();
  #lastCheck: LastCheck | null = null;
  #reason = 'no check';
  #running = false;

  constructor(options: WatchOptions) {
    this.#options = options;
    const { checking } = options;
    this.#loop = checking === null ? null : this.#loopOf(checking);
    if (checking === null) return;
    this.#streak = initialStreak(checking.config);
    this.#reason = 'not checked yet';
  }

  health(): ServerHealth {
    return {
      verdict: this.#told.up ? 'up' : 'down',
      suspect: this.#told.suspect,
      sinceMs: this.#sinceMs,
      lastCheck: this.#lastCheck,
      reason: this.#reason,
    };
  }

  /** The first check is made at once. */
  start(): void {
    this.#running = true;
    this.#lookAtAddress();
    this.#loop?.now();
  }

  /** Ends when the running check has let go of its socket. */
  async stop(): Promise<void> {
    this.#running = false;
    clearTimeout(this.#circuitTimer);
    await this.#loop?.stop();
  }

  passive(event: PassiveEvent): void {
    if (!this.#running) return;
    if (event === 'accepted') {
      this.#setCircuit(stepCircuit(this.#circuit, { kind: 'accepted' }));
      this.#tell('');
      return;
    }
    if (event === 'dial' || event === 'connack_timeout') this.#countFailure(event);
    this.#loop?.soon();
  }

  checkNow(): void {
    if (this.#running) this.#loop?.now();
  }

  /** The address is another one, or there is none any more. What clients met on the old one is forgotten. */
  addressChanged(): void {
    if (!this.#running) return;
    this.#setCircuit(CLOSED);
    this.#lookAtAddress();
    this.#loop?.anew();
  }

  #loopOf({ config, probe }: Checking): CheckLoop {
    return new CheckLoop({
      ask: signal => {
        const address = this.#lookAtAddress();
        return address === null ? null : probe(address, signal);
      },
      ended: outcome => this.#judge(outcome),
      intervalMs: () => (this.#resolves ? nextIntervalMs(this.#streak, config) : config.downinterMs),
    });
  }

  #judge(outcome: ProbeOutcome): void {
    if (outcome.kind === 'not_made') {
      this.#options.notMade(outcome.code);
      return;
    }
    const { result } = outcome;
    if (this.#lastCheck === null) this.#reason = describeCheck(result);
    this.#lastCheck = { ...result, atMs: Date.now() };
    const clears = this.#options.checking?.disproves ?? [];
    if (result.ok) this.#setCircuit(stepCircuit(this.#circuit, { kind: 'check_passed', clears }));
    this.#turnStreak(result.ok ? 'passed' : 'failed');
    this.#tell(describeCheck(result));
  }

  #countFailure(cause: CircuitCause): void {
    // Late word about an address that is gone.
    if (!this.#resolves) return;
    this.#setCircuit(stepCircuit(this.#circuit, { kind: 'failed', cause }));
    this.#turnStreak('passive');
    this.#tell(PASSIVE_REASON[cause]);
  }

  #turnStreak(event: StreakEvent): void {
    const { checking } = this.#options;
    if (checking !== null) this.#streak = stepStreak(this.#streak, event, checking.config).streak;
  }

  #setCircuit(circuit: Circuit): void {
    const wasSuspect = isSuspect(this.#circuit);
    this.#circuit = circuit;
    if (isSuspect(circuit) === wasSuspect) return;
    clearTimeout(this.#circuitTimer);
    if (wasSuspect) return;
    this.#circuitTimer = setTimeout(() => {
      this.#setCircuit(stepCircuit(this.#circuit, { kind: 'waited' }));
      this.#tell('');
    }, circuit.waitMs);
  }

  /** The address to check; null, and DOWN, where the name does not resolve. */
  #lookAtAddress(): string | null {
    const { checking, hostName } = this.#options;
    const address = this.#options.address();
    const resolves = address !== null;
    if (resolves && !this.#resolves && checking !== null) this.#streak = returningStreak(checking.config);
    this.#resolves = resolves;
    this.#tell(resolves ? `Resolution passed (${hostName})` : `Resolution failure (${hostName} does not resolve)`);
    return address;
  }

  /** Tells what has changed since it was last told. `reason` is kept where the verdict has. */
  #tell(reason: string): void {
    const { checking } = this.#options;
    const up = this.#resolves && (checking === null || isUp(this.#streak, checking.config));
    const suspect = isSuspect(this.#circuit);
    const what = { verdict: up !== this.#told.up, suspect: suspect !== this.#told.suspect };
    if (!what.verdict && !what.suspect) return;
    this.#told = { up, suspect };
    if (what.verdict) {
      this.#sinceMs = Date.now();
      this.#reason = reason;
    }
    this.#options.changed(this.health(), what);
  }
}
