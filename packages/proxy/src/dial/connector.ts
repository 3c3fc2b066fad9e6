import type { TimerWheel } from '../clock.ts';
import type { BackendConfig, ServerConfig } from '../config/resolved.ts';
import type { Endpoint } from '../endpoint.ts';
import type { Candidate } from '../route/placement.ts';
import type { NoServer } from '../route/scheduler.ts';
import type { Choice, Hello, Inbound, Link } from '../stages.ts';
import { type Answer, type Attempt, dial, type Sight } from './attempt.ts';
import { exchangeAuth } from './auth_exchange.ts';
import { encodeProxyHeader } from './proxy_header.ts';

/** How connecting a client to some broker ended. */
export type Connecting =
  | { readonly kind: 'linked'; readonly link: Link; readonly assignedClientId: string | null }
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
  /** The session was stopped, or the client has gone. */
  | { readonly kind: 'cancelled' };

/** What a worker lends to a connector. */
export interface ConnectorShop {
  /** The worker's name; with the session's number it is the unique id of PROXY v2. */
  readonly name: string;
  readonly wheel: TimerWheel;
}

/** What the connector needs from the stages around it. */
export interface ConnectorDesk {
  /** The next candidate; the ones before have failed. */
  next(): Promise<Candidate>;
  /** Tells what was seen of a server. */
  seen(server: string, sight: Sight): void;
  /** The attempt goes to this server now (null: to none). */
  trying(server: string | null): void;
}

/** Takes a client from candidate to candidate until a broker answers for good. Nothing reaches the client meanwhile. */
export class Connector {
  readonly #inbound: Inbound;
  readonly #hello: Hello;
  readonly #backend: BackendConfig;
  readonly #desk: ConnectorDesk;
  readonly #shop: ConnectorShop;
  /** What run() waits for of a broker. */
  #waiting: { cancel(): void } | null = null;
  #cancelled = false;
  #retries = -1;
  #last: string | null = null;

  constructor(inbound: Inbound, hello: Hello, backend: BackendConfig, shop: ConnectorShop, desk: ConnectorDesk) {
    this.#inbound = inbound;
    this.#hello = hello;
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
      const candidate = await this.#desk.next();
      // The broker must not see a client that has gone: it would take the place of the session that came after it.
      if (this.#cancelled) break;
      if (candidate.kind === 'nobody') return lastAnswer ?? this.#nobody(this.#retries < 0 ? candidate.why : 'failed');
      this.#retries += 1;
      const { attempt, server } = await this.#try(candidate.target.config, candidate.target.address);
      if (this.#cancelled) {
        if (attempt.kind === 'answered') attempt.server.reset();
        break;
      }
      this.#note(server.name, attempt);
      const end = await this.#judge(candidate.choice, attempt);
      if (end.final) return end.connecting;
      lastAnswer = end.connecting ?? lastAnswer;
    }
    if (this.#cancelled) return { kind: 'cancelled' };
    return lastAnswer ?? this.#nobody('failed');
  }

  async #try(server: ServerConfig, address: string): Promise<{ attempt: Attempt; server: ServerConfig }> {
    this.#desk.trying(server.name);
    const { connectMs, connackMs } = this.#backend;
    const { version } = this.#hello.connect;
    const order = { address, port: server.port, first: this.#first(server), version, connectMs, connackMs };
    const dialing = dial(order, this.#shop.wheel);
    this.#waiting = dialing;
    const attempt = await dialing.result;
    this.#waiting = null;
    if (attempt.kind !== 'answered') this.#desk.trying(null);
    return { attempt, server };
  }

  /** One buffer, so one segment where it fits: a receiver may take header and CONNECT apart otherwise. */
  #first(server: ServerConfig): Buffer {
    if (server.sendProxy === null) return this.#hello.bytes;
    const uniqueId = `${this.#shop.name}-${this.#inbound.id}`;
    return Buffer.concat([encodeProxyHeader(server.sendProxy, this.#inbound, uniqueId), this.#hello.bytes]);
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
      default:
    }
  }

  /** Final, or what to tell the client should nobody else do better. */
  async #judge(
    choice: Choice,
    attempt: Attempt,
  ): Promise<{ final: true; connecting: Connecting } | { final: false; connecting: Connecting | null }> {
    switch (attempt.kind) {
      case 'answered':
        return await this.#answered(choice, attempt);
      case 'closed':
        this.#last = `${choice.server}: closed before CONNACK${attempt.code === null ? '' : ` (${attempt.code})`}`;
        return { final: false, connecting: { kind: 'closed', choice, retries: this.#retries } };
      case 'dial':
      case 'local':
        this.#last = `${choice.server}: ${attempt.code}`;
        return { final: false, connecting: null };
      case 'garbage':
        this.#last = `${choice.server}: ${attempt.detail}`;
        return { final: false, connecting: null };
      case 'connack_timeout':
        this.#last = `${choice.server}: no CONNACK`;
        return { final: false, connecting: null };
      case 'cancelled':
        this.#last = `${choice.server}: went down`;
        return { final: false, connecting: null };
    }
  }

  async #answered(
    choice: Choice,
    attempt: Extract<Attempt, { kind: 'answered' }>,
  ): Promise<{ final: true; connecting: Connecting } | { final: false; connecting: Connecting | null }> {
    const { server, answer, bytes, times } = attempt;
    if (answer.kind === 'auth') return { final: true, connecting: await this.#authenticate(choice, attempt) };
    if (answer.kind === 'accepted')
      return { final: true, connecting: this.#linked(choice, answer, server, bytes, times) };
    server.close();
    this.#desk.trying(null);
    this.#last = `${choice.server}: CONNACK 0x${answer.code.toString(16).padStart(2, '0')}`;
    const connecting: Connecting = { kind: 'refused', choice, code: answer.code, bytes, retries: this.#retries };
    return answer.reroute ? { final: false, connecting } : { final: true, connecting };
  }

  /** Once a byte of AUTH has reached the client there is no other broker for it any more. */
  async #authenticate(
    choice: Choice,
    { server, bytes, times }: Extract<Attempt, { kind: 'answered' }>,
  ): Promise<Connecting> {
    const { client } = this.#inbound;
    const exchange = exchangeAuth(client, server, bytes, this.#backend.connackMs, this.#shop.wheel);
    this.#waiting = exchange;
    const ended = await exchange.result;
    this.#waiting = null;
    if (ended.kind === 'accepted') return this.#linked(choice, ended.answer, server, ended.bytes, times);
    this.#desk.trying(null);
    server.close();
    if (ended.kind === 'refused')
      return { kind: 'refused', choice, code: ended.code, bytes: ended.bytes, retries: this.#retries };
    return { kind: 'cancelled' };
  }

  #linked(
    choice: Choice,
    answer: Extract<Answer, { kind: 'accepted' }>,
    server: Endpoint,
    toClient: Buffer,
    times: { connectMs: number; connackMs: number },
  ): Connecting {
    const { serverKeepAliveS, assignedClientId } = answer;
    const link: Link = { choice, server, toClient, serverKeepAliveS, retries: this.#retries, ...times };
    return { kind: 'linked', link, assignedClientId };
  }

  #nobody(why: NoServer | 'failed'): Connecting {
    return { kind: 'nobody', why, last: this.#last, retries: Math.max(0, this.#retries) };
  }
}
