import type { UnlinkedReason } from '../dial/turn_away.ts';
import type { ArrivalRefusal, Arriving } from '../listen/arrival.ts';
import { type Log, type LogFields, printable } from '../log.ts';
import type { RefusalReason } from '../preread/refusal.ts';
import type { Connect, Inbound, Link, Outcome } from '../stages.ts';
import { clientOf, versionWord } from './live_facts.ts';
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
  readonly inbound: Inbound;
  /** Null in mode tcp. */
  readonly connect: Connect | null;
  readonly link: Link;
  /** The broker's Assigned Client Identifier (5.0). */
  readonly assignedClientId: string | null;
}

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

  connected(linked: Linked): void {
    if (this.#log.format === 'tcplog') return;
    const { inbound, link } = linked;
    this.#log.info('connect', {
      ...this.#who(inbound, linked.connect, linked.assignedClientId),
      backend: link.choice.backend,
      server: link.choice.server,
      how: link.choice.how,
      ...(link.choice.degraded ? { degraded: true } : {}),
      retries: link.retries,
      connect_ms: round(link.connectMs),
      connack_ms: round(link.connackMs),
      total_ms: round(performance.now() - inbound.acceptedAtMs),
    });
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
    this.#log.info('end', {
      ...this.#who(inbound, linked.connect, linked.assignedClientId),
      backend,
      server,
      why: outcome.end,
      bytes_in: outcome.bytesIn,
      bytes_out: outcome.bytesOut,
      duration_ms: round(durationMs),
    });
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
    this.#log.warn('refused', {
      ...this.#who(inbound, connect, null),
      reason: refused.reason,
      detail: printable(refused.detail),
      ...(refused.server === null ? {} : { backend, server: refused.server }),
      ...(suppressed > 0 ? { suppressed } : {}),
    });
  }

  #who(inbound: Arriving & Partial<Inbound>, connect: Connect | null, assignedClientId: string | null): LogFields {
    return { ...where(inbound), ...(connect === null ? {} : this.#mqtt(connect, assignedClientId)) };
  }

  #mqtt(connect: Connect, assignedClientId: string | null): LogFields {
    return {
      client_id: printable(assignedClientId ?? connect.clientId),
      ...(this.#usernames && connect.username !== null ? { username: printable(connect.username) } : {}),
      version: versionWord(connect.version),
      ...(connect.bridge ? { bridge: true } : {}),
    };
  }
}

function where({ id, frontend, bind, source, tls, websocket }: Arriving & Partial<Inbound>): LogFields {
  return {
    session: id,
    frontend: frontend.name,
    bind,
    client: clientOf({ source }),
    ...(tls ? { tls: tls.version, resumed: tls.resumed } : {}),
    ...(tls?.sni ? { sni: printable(tls.sni) } : {}),
    ...(tls?.clientCert?.cn ? { cert_cn: printable(tls.clientCert.cn) } : {}),
    ...(websocket ? { websocket: true } : {}),
  };
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
