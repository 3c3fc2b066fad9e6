import type { TableCall, TableCast } from '@limpet/state';
import type { TallyDelta } from '../account/counters.ts';
import type { ConnectError, SessionFacts, SessionFilter } from '../account/session_facts.ts';
import type { Config } from '../config/resolved.ts';
import type { Sight } from '../dial/attempt.ts';
import type { Stick } from '../route/placer.ts';
import type { NoServer, ServerStatus } from '../route/scheduler.ts';
import type { KeptTls } from '../tls/kept.ts';
import type { WrittenTicketKey } from '../tls/ticket_ring.ts';
import type { Eviction } from '../workshop.ts';

/**
 * What primary and workers say to each other. Messages are short tuples, for they are JSON on a pipe; all that is said
 * in one turn of an event loop goes in one message, never one a connection; what nobody waits for waits a little itself.
 */
export type ToPrimary =
  /** Wants a server (`PlaceRequest`); answered with `placed` or `nobody`, at once. */
  | readonly [
      'place',
      call: number,
      session: number,
      backend: string,
      key: string | null,
      source: string,
      exclude: readonly string[],
      want: string | null,
    ]
  /** The session uses this server now. */
  | readonly ['use', session: number, backend: string, server: string]
  | readonly ['free', session: number]
  /** `confirm` to the primary's stick table, by this session of this worker; `unpin`: `release`; `end`: that, and `free`. */
  | readonly ['pin' | 'unpin' | 'end', session: number, backend: string, key: string, server: string]
  /** What a session has just seen of a server. */
  | readonly ['seen', backend: string, server: string, sight: Sight]
  /** Another message for the primary's stick table of a backend (`call` 0: no answer is wanted). */
  | readonly ['table', call: number, backend: string, message: TableCall | TableCast]
  /** Wants that many more connections of `global.maxconn` (frontend null), or of that frontend's. */
  | readonly ['lease', count: number, frontend: string | null]
  | readonly ['unlease', count: number, frontend: string | null]
  /** May this connection come in? Answered with a GateAnswer, perhaps later. */
  | readonly ['enter', call: number, session: number, frontend: string, source: string]
  /** May this CONNECT go to its backend? Answered with a GateAnswer, perhaps later. */
  | readonly ['pace', call: number, session: number, frontend: string, source: string, backend: string]
  /** A session that asked one of these has ended, or waits no more. */
  | readonly ['leave', session: number]
  /** Wants the bound socket of that number (again). */
  | readonly ['bind', index: number]
  /** It has descriptors for no more clients, or (false) for many again: others are to listen on its sockets meanwhile. */
  | readonly ['full', isFull: boolean]
  /** What was counted since the last time. */
  | readonly ['tally', deltas: readonly TallyDelta[]]
  /** The longest delay of its event loop in the last second, in milliseconds. */
  | readonly ['loop', delayMs: number]
  /** Some of the sessions that answer an `ask`; the rest comes with `told`. */
  | readonly ['part', call: number, sessions: readonly SessionFacts[]]
  /** The answer to an `ask`. */
  | readonly ['told', call: number, answer: readonly SessionFacts[] | number]
  /** So many sessions were asked to leave, which the primary has heard by `free` before. */
  | readonly ['evicted', backend: string, server: string, count: number]
  /** A malformed CONNECT. */
  | readonly ['bad_connect', error: ConnectError]
  /** Nobody is left of those that `standby` has named. */
  | readonly ['stood_by']
  /** It accepts nobody, as `hold` has said. */
  | readonly ['held']
  /** The configuration of that generation is in use here, all new binds included; or why it is not. */
  | readonly ['configured', generation: number, error: string | null]
  /** Its program is loaded: messages before this one would be lost. */
  | readonly ['hello']
  | readonly ['ready']
  | readonly ['failed', code: string, message: string, remedy: string];

export type ToWorker =
  /**
   * `kept` is for certificates that are broken on disk just now. It holds private keys: never to be logged. `slot`: 0 to
   * workers - 1, by which the workers share the ports of source addresses.
   */
  | readonly ['start', config: Config, name: string, binds: readonly BindRef[], kept: KeptTls, slot: number]
  /** Goes over to another configuration without touching a session. `binds` are all that this worker listens on now. */
  | readonly ['config', generation: number, config: Config, binds: readonly BindRef[], kept: KeptTls]
  /** These are all that this worker listens on now, of the configuration that it was told last. */
  | readonly ['binds', binds: readonly BindRef[]]
  /** A question about sessions, answered with `told`. */
  | readonly ['ask', call: number, question: SessionQuestion]
  /** Asks so many sessions of that server to leave. Answered with `evicted`. */
  | readonly ['evict', backend: string, server: string, count: number, eviction: Eviction]
  /** Opens the log file anew. */
  | readonly ['reopen']
  | readonly ['view', backend: string, servers: readonly ServerStatus[]]
  | readonly ['answer', call: number, answer: unknown]
  /** The answers to `place` (`Placed`). */
  | readonly ['placed', call: number, server: string, stick: Stick, displaced: string | null]
  | readonly ['nobody', call: number, why: NoServer]
  | readonly ['lease', count: number, frontend: string | null]
  /** Others wait for connections: give back what is not used. */
  | readonly ['recall', frontend: string | null]
  /** The keys of TLS session tickets, newest first. */
  | readonly ['tickets', keys: readonly WrittenTicketKey[]]
  /** The virtual addresses leave this host: connections to them are closed with RST, and so are those to their servers. Answered with `stood_by`. */
  | readonly ['standby', addresses: readonly string[]]
  /** The primary is (or no more) to be asked about every CONNECT: this proxy has just become active. */
  | readonly ['takeover', on: boolean]
  /** Accept nobody, answered with `held`; or (false) accept again. */
  | readonly ['hold', on: boolean]
  /** Stop accepting; leave when the last session has ended. */
  | readonly ['drain']
  /** Close the sessions that are left, and leave. */
  | readonly ['close'];

export type SessionQuestion =
  | { readonly kind: 'list'; readonly filter: SessionFilter; readonly limit: number }
  /** Ends them, and answers how many. */
  | { readonly kind: 'end'; readonly filter: SessionFilter }
  /** Renews the entries of live sessions in the table of a backend, or that of one key (null: all), and answers 0. */
  | { readonly kind: 'renew'; readonly backend: string; readonly key: string | null };

/** A socket of the primary's that a worker may ask for. */
export interface BindRef {
  readonly index: number;
  readonly frontend: string;
  /** Among the binds of the frontend: two of them may be written alike, as `:0`. */
  readonly place: number;
  /** It is another worker's, which is full. */
  readonly isLent: boolean;
}

/** How long a message without haste waits for others. */
const CALM_MS = 5;

/**
 * Gathers messages and sends them together, in the order in which they were said. What a message costs is to wake the
 * other process, not its length: so while questions are on their way, further ones wait for the answers.
 */
export class Outbox<Message> {
  #waiting: Message[] = [];
  #soon = false;
  #calm: NodeJS.Timeout | null = null;
  /** Questions that have been sent and not been answered, and those that wait to be sent. */
  #unanswered = 0;
  #questions = 0;
  readonly #send: (batch: Message[]) => void;
  readonly #flush = (): void => this.flush();
  readonly #flushCalm = (): void => {
    this.#calm = null;
    this.flush();
  };

  constructor(send: (batch: Message[]) => void) {
    this.#send = send;
  }

  /** What was said last, and has not been sent. */
  get last(): Message | undefined {
    return this.#waiting.at(-1);
  }

  /** Says this in place of it. */
  replaceLast(message: Message): void {
    this.#waiting[this.#waiting.length - 1] = message;
  }

  /** Somebody waits for this: it goes at the end of this turn of the event loop. */
  say(message: Message): void {
    this.#waiting.push(message);
    this.#hurry();
  }

  /** As say(), for what is answered at once: it goes when the questions before it are answered, or after 5 ms. */
  ask(question: Message): void {
    this.#questions += 1;
    if (this.#unanswered > 0) this.mention(question);
    else this.say(question);
  }

  /** A question has its answer. */
  answered(): void {
    this.#unanswered -= 1;
    if (this.#unanswered === 0 && this.#questions > 0) this.#hurry();
  }

  /** Nobody waits for this: it goes with the next one that is in haste, or after 5 ms. */
  mention(message: Message): void {
    this.#waiting.push(message);
    if (!this.#soon) this.#calm ??= setTimeout(this.#flushCalm, CALM_MS);
  }

  /** A timer that runs is left alone, for to stop it costs as much as to make one: whatever it finds goes a little earlier. */
  flush(): void {
    this.#soon = false;
    this.#unanswered += this.#questions;
    this.#questions = 0;
    if (this.#waiting.length === 0) return;
    const batch = this.#waiting;
    this.#waiting = [];
    this.#send(batch);
  }

  #hurry(): void {
    if (this.#soon) return;
    this.#soon = true;
    setImmediate(this.#flush);
  }
}
