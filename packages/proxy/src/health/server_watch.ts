import type { CheckConfig } from '../config/resolved.ts';
import { CheckLoop } from './check_loop.ts';
import { type CheckResult, describeCheck, type ProbeOutcome } from './check_status.ts';
import { type Circuit, type CircuitCause, CLOSED, isSuspect, stepCircuit } from './circuit.ts';
import type { Probe } from './probe.ts';
import {
  carriedStreak,
  initialStreak,
  isUp,
  nextIntervalMs,
  returningStreak,
  type Streak,
  type StreakEvent,
  stepStreak,
  sureStreak,
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
  /** Its configuration asks for checks. */
  readonly checked: boolean;
  /** Checks are made: they are configured, and no operator has turned them off. */
  readonly enabled: boolean;
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
  /** A check has been made. */
  checked?(ok: boolean): void;
  /** This host could not make a check. */
  notMade(code: string): void;
}

/** What a reload may change of a server that keeps its address. */
export type WatchTerms = Pick<WatchOptions, 'checking' | 'hostName'>;

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
  #terms: WatchTerms;
  /** Null: no checks are made. */
  #loop: CheckLoop | null = null;
  /** Loops that have been stopped, and still hold a socket. */
  readonly #ending = new Set<Promise<void>>();
  #enabled = true;
  /** What an operator has set where there are no checks. */
  #forced: 'up' | 'down' | null = null;
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
    this.#terms = options;
    const { checking } = options;
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
      checked: this.#terms.checking !== null,
      enabled: this.#terms.checking !== null && this.#enabled,
    };
  }

  /** The first check is made at once. */
  start(): void {
    this.#running = true;
    this.#lookAtAddress();
    this.#check();
  }

  /** Other checks, or none, of the same server: the verdict stays, and the next check follows the new terms. */
  reconfigure(terms: WatchTerms): void {
    const before = this.#terms.checking;
    const { checking } = terms;
    this.#terms = terms;
    if (checking !== null) this.#streak = this.#carried(before, checking);
    // Without checks a server is up while its name resolves.
    else this.#forced = null;
    this.#dropLoop();
    if (!this.#running) return;
    this.#tell(checking === null ? 'no check' : this.#reason);
    this.#check();
  }

  /** Whether checks are made. While they are not, the verdict stays as it is. */
  setEnabled(on: boolean): void {
    if (this.#enabled === on) return;
    this.#enabled = on;
    if (!on) this.#dropLoop();
    else if (this.#running) this.#check();
  }

  /** An operator's word: it holds until checks say otherwise, or for good where there are none. */
  force(verdict: 'up' | 'down'): void {
    const { checking } = this.#terms;
    if (checking === null) this.#forced = verdict;
    else this.#streak = sureStreak(verdict, checking.config);
    if (verdict === 'up') this.#setCircuit(CLOSED);
    this.#tell('set by an operator');
  }

  /** Ends when the running check has let go of its socket. */
  async stop(): Promise<void> {
    this.#running = false;
    clearTimeout(this.#circuitTimer);
    this.#dropLoop();
    await Promise.all(this.#ending);
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

  /** A check at once, where there are any. */
  #check(): void {
    const { checking } = this.#terms;
    if (checking === null || !this.#enabled) return;
    this.#loop ??= this.#loopOf(checking);
    this.#loop.now();
  }

  #dropLoop(): void {
    const ending = this.#loop?.stop();
    this.#loop = null;
    if (ending === undefined) return;
    this.#ending.add(ending);
    void ending.finally(() => this.#ending.delete(ending));
  }

  #carried(before: Checking | null, after: Checking): Streak {
    if (before !== null) return carriedStreak(this.#streak, before.config, after.config);
    return this.#forced === 'down' ? sureStreak('down', after.config) : initialStreak(after.config);
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
    this.#options.checked?.(result.ok);
    const clears = this.#terms.checking?.disproves ?? [];
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
    const { checking } = this.#terms;
    // With checks turned off nothing could bring the server back.
    if (checking !== null && this.#enabled) this.#streak = stepStreak(this.#streak, event, checking.config).streak;
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
    const { checking, hostName } = this.#terms;
    const address = this.#options.address();
    const resolves = address !== null;
    if (resolves && !this.#resolves && checking !== null) this.#streak = returningStreak(checking.config);
    this.#resolves = resolves;
    this.#tell(resolves ? `Resolution passed (${hostName})` : `Resolution failure (${hostName} does not resolve)`);
    return address;
  }

  /** Tells what has changed since it was last told. `reason` is kept where the verdict has. */
  #tell(reason: string): void {
    const { checking } = this.#terms;
    const isGood = checking === null ? this.#forced !== 'down' : isUp(this.#streak, checking.config);
    const up = this.#resolves && isGood;
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
