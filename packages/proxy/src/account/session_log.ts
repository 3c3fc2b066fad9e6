import type { UnlinkedReason } from '../dial/turn_away.ts';
import type { ArrivalRefusal, Arriving } from '../listen/arrival.ts';
import { type Log, type LogValue, printable } from '../log.ts';
import type { RefusalReason } from '../preread/refusal.ts';
import type { Connect, Inbound, Link, Outcome } from '../stages.ts';
import { clientOf, type Said, versionWord, type Who } from './live_facts.ts';
import type { WorkerCounts } from './registry.ts';
import { tcplogLine } from './tcplog.ts';

/** A client that is turned away, at whichever stage. */
export interface Refused {
  readonly reason: RefusalReason | UnlinkedReason | ArrivalRefusal | 'rule';
  readonly detail: string;
  /** What it is told; null: nothing. */
  readonly answer: Buffer | null;
  /** The last server that was tried, if any. */
  readonly server: string | null;
  readonly retries: number;
}

/** A session that has a broker. */
export interface Linked {
  readonly inbound: Who;
  /** Null in mode tcp. */
  readonly connect: Said | null;
  readonly link: Pick<Link, 'choice' | 'retries' | 'connectMs'>;
  /** The broker's Assigned Client Identifier (5.0). */
  readonly assignedClientId: string | null;
}

/** Of one that is turned away early it is not known how it speaks. */
type Known = Omit<Who, 'tls' | 'websocket'> & Partial<Who>;

/** A line that is being made. */
type Line = Record<string, LogValue>;

/** The counts of this worker, by name. */
type Counter = (frontend: string, backend: string, server: string) => WorkerCounts;

/** Writes one line when a client has its broker, one when it leaves, and one when it never got there. */
export class SessionLog {
  readonly #log: Log;
  readonly #usernames: boolean;
  readonly #counts: Counter;
  readonly #flood: FloodGate = new FloodGate();

  /** `usernames`: whether they may be logged. */
  constructor(log: Log, usernames: boolean, counts: Counter) {
    this.#log = log;
    this.#usernames = usernames;
    this.#counts = counts;
  }

  connected(linked: Linked & { readonly link: Link }): void {
    if (this.#log.format === 'tcplog') return;
    const { inbound, link } = linked;
    const line = this.#who(inbound, linked.connect, linked.assignedClientId);
    line.backend = link.choice.backend;
    line.server = link.choice.server;
    line.how = link.choice.how;
    if (link.choice.degraded) line.degraded = true;
    line.retries = link.retries;
    line.connect_ms = round(link.connectMs);
    line.connack_ms = round(link.connackMs);
    line.total_ms = round(performance.now() - inbound.acceptedAtMs);
    this.#log.info('connect', line);
  }

  ended(linked: Linked, outcome: Outcome): void {
    const { inbound, link } = linked;
    const { backend, server } = link.choice;
    const durationMs = performance.now() - inbound.acceptedAtMs;
    if (this.#log.format === 'tcplog') {
      const counts = this.#counts(inbound.frontend.name, backend, server);
      this.#log.line(tcplogLine(inbound, link, outcome, durationMs, counts));
      return;
    }
    const line = this.#who(inbound, linked.connect, linked.assignedClientId);
    line.backend = backend;
    line.server = server;
    line.why = outcome.end;
    line.bytes_in = outcome.bytesIn;
    line.bytes_out = outcome.bytesOut;
    line.duration_ms = round(durationMs);
    this.#log.info('end', line);
  }

  /** A client that is turned away. At most ten lines a second for each reason; the rest are counted in the next one. */
  refused(inbound: Arriving & Partial<Inbound>, connect: Connect | null, backend: string, refused: Refused): void {
    const suppressed = this.#flood.pass(refused.reason);
    if (suppressed === null) return;
    if (this.#log.format === 'tcplog') {
      // HAProxy's line has no room for it.
      if (suppressed > 0) this.#log.warn('refused_suppressed', { reason: refused.reason, suppressed });
      const counts = this.#counts(inbound.frontend.name, backend, refused.server ?? '');
      const durationMs = performance.now() - inbound.acceptedAtMs;
      this.#log.line(tcplogLine(inbound, { ...refused, backend }, refused.reason, durationMs, counts));
      return;
    }
    const line = this.#who(inbound, connect, null);
    line.reason = refused.reason;
    line.detail = printable(refused.detail);
    if (refused.server !== null) {
      line.backend = backend;
      line.server = refused.server;
    }
    if (suppressed > 0) line.suppressed = suppressed;
    this.#log.warn('refused', line);
  }

  /**
   * What every line begins with. What is undefined is not written. A line is one object, to which the rest is added by name:
   * to copy one of so many fields (`...`) takes V8 some 10 µs, more than all the rest of the line.
   */
  #who({ id, frontend, bind, source, tls, websocket }: Known, connect: Said | null, assigned: string | null): Line {
    const username = this.#usernames ? (connect?.username ?? undefined) : undefined;
    return {
      session: id,
      frontend: frontend.name,
      bind,
      client: clientOf({ source }),
      tls: tls?.version,
      resumed: tls?.resumed,
      sni: safe(tls?.sni),
      cert_cn: safe(tls?.clientCert?.cn),
      websocket: websocket ? true : undefined,
      client_id: connect === null ? undefined : printable(assigned ?? connect.clientId),
      username: username === undefined ? undefined : printable(username),
      version: connect === null ? undefined : versionWord(connect.version),
      bridge: connect?.bridge || undefined,
    };
  }
}

/** Empty is as good as nothing. */
function safe(text: string | null | undefined): string | undefined {
  return text ? printable(text) : undefined;
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}

const LINES_A_SECOND = 10;

/** Lets so many lines of one reason through in a second; answers how many were held back before this one. */
class FloodGate {
  readonly #reasons = new Map<string, { second: number; lines: number; held: number }>();

  pass(reason: string): number | null {
    const second = Math.floor(performance.now() / 1000);
    const known = this.#reasons.get(reason);
    if (known === undefined || known.second !== second) {
      const held = known?.held ?? 0;
      this.#reasons.set(reason, { second, lines: 1, held: 0 });
      return held;
    }
    known.lines += 1;
    if (known.lines <= LINES_A_SECOND) return 0;
    known.held += 1;
    return null;
  }
}
