import type { TimerWheel } from '../clock.ts';
import type { BackendConfig, ServerConfig } from '../config/resolved.ts';
import { closeSoon } from '../endpoint.ts';
import type { Engine } from '../native/engine.ts';
import type { Candidate } from '../route/placement.ts';
import type { NoServer } from '../route/scheduler.ts';
import type { Choice, Inbound, Link } from '../stages.ts';
import type { BrokerTls } from '../tls/dial_tls.ts';
import { type Attempt, dial, type Sight } from './attempt.ts';
import { exchangeAuth } from './auth_exchange.ts';
import type { DepartureBoard } from './departures.ts';
import { encodeProxyHeader } from './proxy_header.ts';
import type { Answer, DialScript } from './script.ts';

/** How connecting a client to some broker ended. */
export type Connecting =
  | {
      readonly kind: 'linked';
      readonly link: Link;
      readonly assignedClientId: string | null;
      /** False: it still authenticates the client, where nobody sees how that ends. */
      readonly isAccepted: boolean;
    }
  /** A broker refused: its packet goes to the client as it is. `choice` is the broker that said it. */
  | {
      readonly kind: 'refused';
      readonly choice: Choice;
      readonly code: number;
      readonly bytes: Buffer;
      readonly retries: number;
    }
  /** No server was there, or none answered; `last` says what the last one did. */
  | {
      readonly kind: 'nobody';
      readonly why: NoServer | 'failed';
      readonly last: string | null;
      readonly retries: number;
    }
  /** Every server that was asked closed the connection without a word: so do we. */
  | { readonly kind: 'closed'; readonly choice: Choice; readonly retries: number }
  /** Enhanced authentication broke off (5.0, 4.12). */
  | { readonly kind: 'auth_failed'; readonly choice: Choice; readonly detail: string; readonly retries: number }
  /** The session was stopped, or the client has gone. */
  | { readonly kind: 'cancelled' };

/** What a worker lends to a connector. */
export interface ConnectorShop {
  /** The worker's name; with the session's number it is the unique id of PROXY v2. */
  readonly name: string;
  readonly wheel: TimerWheel;
  /** From where connections begin, where a server has `source`. */
  readonly departures: DepartureBoard;
  /** Opens plain TCP to brokers; null: Node does. */
  readonly engine: Engine | null;
  /** This process has no descriptors left: whoever comes now cannot be served. */
  starved(code: string): void;
}

const NO_DESCRIPTORS = new Set(['EMFILE', 'ENFILE']);

/** Who counts attempts, each as it happens. */
export interface AttemptCount {
  /** An attempt begins. `from`: the server that has failed before; null: this is the first. */
  picked(server: string, from: string | null): void;
  /** It is over. */
  ended(server: string, attempt: Attempt): void;
  /** The code of a CONNACK that came after AUTH. */
  authenticated(server: string, code: number): void;
}

/** What the connector needs from the stages around it. */
export interface ConnectorDesk {
  /** The next candidate; the ones before have failed. `mayMove`: and by their own fault. */
  next(mayMove: boolean): Promise<Candidate>;
  /** Tells what was seen of a server. */
  seen(server: string, sight: Sight): void;
  readonly count: AttemptCount;
  /** The attempt goes to this server now (null: to none). */
  trying(server: string | null): void;
  /** What is said to that server, anew for each attempt. */
  script(server: ServerConfig): DialScript;
  /** TLS towards a server; null where its configuration wants none. */
  tls(server: string): BrokerTls | null;
}

type Answered = Extract<Attempt, { kind: 'answered' }>;
/** Final, or what to tell the client should nobody else do better. */
type Judgement =
  | { readonly final: true; readonly connecting: Connecting }
  | { readonly final: false; readonly connecting: Connecting | null };

/** Takes a client from candidate to candidate until a broker answers for good. Nothing reaches the client meanwhile. */
export class Connector {
  readonly #inbound: Inbound;
  readonly #backend: BackendConfig;
  readonly #desk: ConnectorDesk;
  readonly #shop: ConnectorShop;
  /** What run() waits for of a broker. */
  #waiting: { cancel(): void } | null = null;
  #cancelled = false;
  #retries = -1;
  /** The server that was tried last. */
  #from: string | null = null;
  /** Every failure so far was the server's own. */
  #mayMove = true;
  /** Servers that closed without a word. */
  #closed = 0;
  #last: string | null = null;

  constructor(inbound: Inbound, backend: BackendConfig, shop: ConnectorShop, desk: ConnectorDesk) {
    this.#inbound = inbound;
    this.#backend = backend;
    this.#desk = desk;
    this.#shop = shop;
  }

  /** The session is over: the result will be `cancelled`. */
  cancel(): void {
    this.#cancelled = true;
    this.#waiting?.cancel();
  }

  /** The server that is being tried has gone down: on to the next one, at once. */
  skip(): void {
    this.#waiting?.cancel();
  }

  async run(): Promise<Connecting> {
    let lastAnswer: Connecting | null = null;
    while (!this.#cancelled && this.#retries < this.#backend.retries) {
      const candidate = await this.#desk.next(this.#mayMove);
      // The broker must not see a client that has gone: it would take the place of the session that came after it.
      if (this.#cancelled) break;
      if (candidate.kind === 'nobody') return lastAnswer ?? this.#nobody(this.#retries < 0 ? candidate.why : 'failed');
      this.#retries += 1;
      const { config, address } = candidate.target;
      this.#desk.count.picked(config.name, this.#from);
      this.#from = config.name;
      const attempt = await this.#try(config, address);
      if (!this.#goesOn(config.name, attempt)) break;
      // Frames pass as they are from the first AUTH on; plain bytes are followed until the CONNACK.
      if (attempt.kind === 'answered' && attempt.answer.kind === 'auth' && config.websocket === null) {
        return await this.#authenticate(candidate.choice, attempt);
      }
      const judgement = this.#judge(candidate.choice, config, attempt);
      if (judgement.final) return judgement.connecting;
      lastAnswer = judgement.connecting ?? lastAnswer;
    }
    if (this.#cancelled) return { kind: 'cancelled' };
    return lastAnswer ?? this.#nobody('failed');
  }

  /** The attempt is over. False: so is the session. */
  #goesOn(server: string, attempt: Attempt): boolean {
    this.#waiting = null;
    if (attempt.kind !== 'answered') this.#desk.trying(null);
    this.#desk.count.ended(server, attempt);
    if (this.#cancelled) {
      if (attempt.kind === 'answered') attempt.server.reset();
      return false;
    }
    this.#note(server, attempt);
    this.#mayMove &&= isServersFault(attempt);
    return true;
  }

  #try(server: ServerConfig, address: string): Promise<Attempt> {
    this.#desk.trying(server.name);
    const { connectMs, connackMs } = this.#backend;
    const tls = this.#desk.tls(server.name);
    const script = this.#desk.script(server);
    const { port, source } = server;
    const header = this.#header(server);
    const departures = source.length === 0 ? 'any' : this.#shop.departures.to({ address, port, source });
    const { engine, wheel } = this.#shop;
    const dialing = dial({ address, port, header, tls, engine, departures, script, connectMs, connackMs }, wheel);
    this.#waiting = dialing;
    return dialing.result;
  }

  #header(server: ServerConfig): Buffer | null {
    if (server.sendProxy === null) return null;
    return encodeProxyHeader(server.sendProxy, this.#inbound, `${this.#shop.name}-${this.#inbound.id}`);
  }

  #note(server: string, attempt: Attempt): void {
    switch (attempt.kind) {
      case 'answered':
        if (attempt.answer.kind === 'accepted') this.#desk.seen(server, 'accepted');
        else if (attempt.answer.kind === 'refused' && attempt.answer.reroute) this.#desk.seen(server, 'refused');
        break;
      case 'dial':
      case 'connack_timeout':
        this.#desk.seen(server, attempt.kind);
        break;
      case 'closed':
      case 'garbage':
        this.#desk.seen(server, 'closed');
        break;
      case 'local':
        if (NO_DESCRIPTORS.has(attempt.code)) this.#shop.starved(attempt.code);
        break;
      default:
    }
  }

  #judge(choice: Choice, server: ServerConfig, attempt: Attempt): Judgement {
    if (attempt.kind === 'answered') return this.#answered(choice, server, attempt);
    this.#last = `${choice.server}: ${failure(attempt)}`;
    if (attempt.kind !== 'closed') return { final: false, connecting: null };
    // One may have died just then. Two of them mean the CONNECT, and no further one shall have it.
    this.#closed += 1;
    return { final: this.#closed === 2, connecting: { kind: 'closed', choice, retries: this.#retries } };
  }

  #answered(choice: Choice, server: ServerConfig, attempt: Answered): Judgement {
    const { answer } = attempt;
    const isFramed = server.websocket !== null;
    switch (answer.kind) {
      case 'accepted':
      case 'none':
      case 'auth':
        return { final: true, connecting: this.#linked(choice, isFramed, attempt, answer) };
      case 'refused': {
        closeSoon(attempt.server, this.#shop.wheel);
        this.#desk.trying(null);
        this.#last = `${choice.server}: CONNACK 0x${answer.code.toString(16).padStart(2, '0')}`;
        return { final: !answer.reroute, connecting: this.#refused(choice, answer.code, attempt.mqtt) };
      }
    }
  }

  /** Once a byte of AUTH has reached the client there is no other broker for it any more. */
  async #authenticate(choice: Choice, attempt: Answered): Promise<Connecting> {
    const { client } = this.#inbound;
    const { server, toClient } = attempt;
    const exchange = exchangeAuth(client, server, toClient, this.#backend.connackMs, this.#shop.wheel);
    this.#waiting = exchange;
    const ended = await exchange.result;
    this.#waiting = null;
    if (ended.kind !== 'broken') {
      this.#desk.count.authenticated(choice.server, ended.kind === 'accepted' ? 0 : ended.code);
    }
    if (ended.kind === 'accepted') {
      return this.#linked(choice, false, { ...attempt, toClient: ended.bytes }, ended.answer);
    }
    this.#desk.trying(null);
    closeSoon(server, this.#shop.wheel);
    if (ended.kind === 'refused') return this.#refused(choice, ended.code, ended.bytes);
    if (this.#cancelled) return { kind: 'cancelled' };
    return { kind: 'auth_failed', choice, detail: ended.detail, retries: this.#retries };
  }

  #linked(
    choice: Choice,
    isFramed: boolean,
    { server, toClient, times }: Answered,
    answer: Extract<Answer, { kind: 'accepted' | 'none' | 'auth' }>,
  ): Connecting {
    const accepted = answer.kind === 'accepted' ? answer : null;
    const framesSent = isFramed ? (this.#inbound.websocket?.frames().length ?? null) : null;
    const serverKeepAliveS = accepted?.serverKeepAliveS ?? null;
    const link: Link = { choice, server, toClient, framesSent, serverKeepAliveS, retries: this.#retries, ...times };
    const assignedClientId = accepted?.assignedClientId ?? null;
    return { kind: 'linked', link, assignedClientId, isAccepted: answer.kind !== 'auth' };
  }

  #refused(choice: Choice, code: number, bytes: Buffer): Connecting {
    return { kind: 'refused', choice, code, bytes, retries: this.#retries };
  }

  #nobody(why: NoServer | 'failed'): Connecting {
    return { kind: 'nobody', why, last: this.#last, retries: Math.max(0, this.#retries) };
  }
}

/** What a client can provoke says nothing of the server, and what is this host's trouble does not either. */
function isServersFault({ kind }: Attempt): boolean {
  return kind === 'dial' || kind === 'connack_timeout' || kind === 'cancelled';
}

function failure(attempt: Exclude<Attempt, Answered>): string {
  switch (attempt.kind) {
    case 'closed':
      return `closed before CONNACK${attempt.code === null ? '' : ` (${attempt.code})`}`;
    case 'dial':
    case 'local':
      return attempt.code;
    case 'garbage':
      return attempt.detail;
    case 'connack_timeout':
      return 'no CONNACK';
    case 'cancelled':
      return 'went down';
  }
}
