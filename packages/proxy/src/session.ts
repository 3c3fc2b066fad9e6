import { connectError } from './account/connect_error.ts';
import { early, sessionFacts, versionWord } from './account/live_facts.ts';
import type { SessionFacts } from './account/session_facts.ts';
import type { Refused } from './account/session_log.ts';
import { mqttScript } from './dial/script.ts';
import { webSocketScript } from './dial/websocket_script.ts';
import { FirstBytes } from './first_bytes.ts';
import type { GateAnswer } from './gate/gate_answer.ts';
import { type Cargo, IDLE, Passage, type Stage } from './passage.ts';
import { type Preread, readHello } from './preread/read_hello.ts';
import { connack, refuse } from './preread/refusal.ts';
import { idleLimits } from './relay/idle.ts';
import { refuseCode } from './route/rules.ts';
import { verifiedCn } from './route/stick_key.ts';
import type { Connect, Inbound, StopReason } from './stages.ts';
import { waitForTurn } from './turn.ts';
import { refusalOf, sayFarewell } from './turned_away.ts';
import type { Eviction, LiveSession, ServerFall, SessionRoute, Workshop } from './workshop.ts';

/** One MQTT client's way through all stages. Owns the client's endpoint; when run() is over, everything is closed. */
export class Session implements LiveSession {
  readonly frontend: string;
  readonly #inbound: Inbound;
  readonly #shop: Workshop;
  readonly #first: FirstBytes;
  #stage: Stage = IDLE;
  #connect: Connect | null = null;
  #backend: string | null = null;
  #passage: Passage | null = null;

  constructor(inbound: Inbound, shop: Workshop) {
    this.frontend = inbound.frontend.name;
    this.#inbound = inbound;
    this.#shop = shop;
    this.#first = new FirstBytes(shop.pool);
  }

  facts(): SessionFacts {
    const connect = this.#connect;
    const stage = connect === null ? 'preread' : 'queue';
    const progress = this.#passage?.progress() ?? early(this.#inbound, stage, this.#backend);
    return sessionFacts(this.#shop, this.#inbound, connect, progress);
  }

  stop(reason: StopReason): void {
    this.#stage.stop(reason);
  }

  serverFell(why: ServerFall): void {
    this.#stage.serverFell(why);
  }

  evict(eviction: Eviction): boolean {
    return this.#stage.evict(eviction);
  }

  /** listen has brought the client; the rest is here. Never rejects. */
  async run(): Promise<void> {
    this.#shop.registry.add(this);
    const connect = await this.#preread();
    const route = connect && this.#route(connect);
    if (connect !== null && route !== null && (await this.#pace(connect, route))) await this.#pass(connect, route);
    this.#stage = IDLE;
    this.#first.forget();
    this.#shop.registry.remove(this);
  }

  /** Answers what the CONNECT says; its bytes are kept apart, for they are let go of long before the session ends. */
  async #preread(): Promise<Connect | null> {
    const reading = readHello(this.#inbound, this.#shop.pool, this.#shop.wheel);
    this.#stage = {
      ...IDLE,
      stop: reason => {
        reading.cancel();
        if (reason === 'standby') this.#inbound.client.reset();
      },
    };
    const preread = await reading.result;
    if (preread.kind === 'hello') {
      const { connect, bytes } = preread.hello;
      this.#connect = connect;
      this.#shop.tally.entrance(this.#inbound).count(`connect:${versionWord(connect.version)}`);
      if (this.#first.keep(bytes, () => this.#stage.stop('killed'))) return connect;
      this.#refuse(connect, refusalOf({ kind: 'lost' }, connect.version));
      return null;
    }
    if (preread.kind === 'bad') this.#refuseBad(preread);
    else this.#inbound.client.close();
    return null;
  }

  #refuseBad(bad: Extract<Preread, { kind: 'bad' }>): void {
    const error = connectError(this.#shop.name, this.#inbound, bad.refusal, bad);
    if (error !== null) this.#shop.badConnect(error);
    this.#refuse(null, { ...bad.refusal, server: null, retries: 0 });
  }

  /** The backend that the frontend's rules choose; null: they refuse. */
  #route(connect: Connect): SessionRoute | null {
    const { frontend, source, tls, websocket } = this.#inbound;
    const { clientId, username, version } = connect;
    const facts = { clientId, username, version, source: source.address, sni: tls?.sni ?? null };
    const more = { path: websocket?.path ?? null, certCn: verifiedCn(tls) };
    const decision = this.#shop.decide(frontend.name, { ...facts, ...more });
    if (decision.kind === 'backend') return this.#shop.routeOf(decision.backend);
    if (decision.kind === 'default') return this.#shop.routeOf(frontend.defaultBackend);
    const answer = connack(version, refuseCode(decision.word, version));
    this.#refuse(connect, { reason: 'rule', detail: decision.word, answer, server: null, retries: 0 });
    return null;
  }

  /** Whether it may go on, now or after its turn in the queue. */
  async #pace(connect: Connect, route: SessionRoute): Promise<boolean> {
    this.#backend = route.view.config.name;
    const turn = waitForTurn(this.#inbound, this.#first, this.#shop, route.view.config.name);
    let isStopped = false;
    const stop = (): void => {
      isStopped = true;
      turn?.leave();
    };
    if (turn !== null) this.#stage = { ...IDLE, stop };
    const answer: GateAnswer = turn === null ? { kind: 'in' } : await turn.result;
    // Also where it was let in: without its first bytes there is nothing to say to a broker.
    if (this.#first.isLost) this.#refuse(connect, refusalOf({ kind: 'lost' }, connect.version), route.view.config.name);
    else if (answer.kind === 'in') return true;
    else if (answer.kind === 'refused') {
      const word = answer.reason === 'source_connect_rate' ? 'quota' : 'busy';
      const refusal = { detail: 'by a limit', answer: refuse(connect.version, word), server: null, retries: 0 };
      this.#refuse(connect, { reason: answer.reason, ...refusal });
    } else {
      this.#inbound.client.reset();
      if (!isStopped) this.#refuse(connect, refusalOf({ kind: 'left' }, connect.version), route.view.config.name);
    }
    return false;
  }

  async #pass(connect: Connect, route: SessionRoute): Promise<void> {
    const passage = new Passage(this, this.#inbound, route, this.#shop);
    this.#passage = passage;
    this.#stage = passage;
    const unlinked = await passage.run(cargoOf(this.#inbound, connect, this.#first, route));
    if (unlinked !== null) this.#refuse(connect, refusalOf(unlinked, connect.version), route.view.config.name);
  }

  #refuse(connect: Connect | null, refused: Refused, backend: string = this.#inbound.frontend.defaultBackend): void {
    this.#shop.log.refused(this.#inbound, connect, backend, refused);
    sayFarewell(this.#inbound, refused, backend, this.#shop);
  }
}

function cargoOf(inbound: Inbound, connect: Connect, first: FirstBytes, route: SessionRoute): Cargo {
  const { frontend, websocket, source, tls } = inbound;
  const who = { sourceAddress: source.address, certCn: verifiedCn(tls) };
  const operator = { clientMs: frontend.clientMs, serverMs: route.view.config.serverMs };
  return {
    connect,
    stickValue: assigned => route.stickValue(assigned === null ? connect : { ...connect, clientId: assigned }, who),
    script: server =>
      websocket !== null && server.websocket !== null
        ? webSocketScript(inbound, websocket, server.websocket.path, connect.version)
        : mqttScript(first.bytes, connect.version),
    first,
    limits: link => idleLimits(connect.keepAliveS, link.serverKeepAliveS, operator),
  };
}
