import type { Refused } from './account/session_log.ts';
import { mqttScript } from './dial/script.ts';
import { turnAway } from './dial/turn_away.ts';
import { webSocketScript } from './dial/websocket_script.ts';
import { type Cargo, IDLE, Passage, type Stage, sayFarewell } from './passage.ts';
import { readHello } from './preread/read_hello.ts';
import { connack, refuse } from './preread/refusal.ts';
import { idleLimits } from './relay/idle.ts';
import { refuseCode } from './route/rules.ts';
import { verifiedCn } from './route/stick_key.ts';
import type { Connect, Hello, Inbound, StopReason } from './stages.ts';
import type { LiveSession, SessionRoute, Workshop } from './workshop.ts';

/** One MQTT client's way through all stages. Owns the client's endpoint; when run() is over, everything is closed. */
export class Session implements LiveSession {
  readonly frontend: string;
  readonly #inbound: Inbound;
  readonly #shop: Workshop;
  #stage: Stage = IDLE;

  constructor(inbound: Inbound, shop: Workshop) {
    this.frontend = inbound.frontend.name;
    this.#inbound = inbound;
    this.#shop = shop;
  }

  stop(reason: StopReason): void {
    this.#stage.stop(reason);
  }

  serverFell(): void {
    this.#stage.serverFell();
  }

  /** listen has brought the client; the rest is here. Never rejects. */
  async run(): Promise<void> {
    this.#shop.registry.add(this);
    const hello = await this.#preread();
    const route = hello && this.#route(hello.connect);
    if (hello !== null && route !== null && (await this.#pace(hello.connect, route))) await this.#pass(hello, route);
    this.#stage = IDLE;
    this.#shop.registry.remove(this);
  }

  async #preread(): Promise<Hello | null> {
    const reading = readHello(this.#inbound, this.#shop.pool, this.#shop.wheel);
    this.#stage = { ...IDLE, stop: () => reading.cancel() };
    const preread = await reading.result;
    if (preread.kind === 'hello') return preread.hello;
    if (preread.kind === 'bad') this.#refuse(null, { ...preread.refusal, server: null, retries: 0 });
    else this.#inbound.client.close();
    return null;
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
    const asked = this.#shop.pace(this.#inbound, route.view.config.name);
    if (asked === null) return true;
    const { client } = this.#inbound;
    let isGone = false;
    const leave = (): void => {
      isGone = true;
      this.#shop.leavePace(this.#inbound);
    };
    this.#stage = { ...IDLE, stop: leave };
    client.attach({ bytes() {}, drained() {}, ended() {}, closed: leave });
    const answer = await asked;
    if (answer.kind === 'in' && !isGone) return true;
    if (answer.kind === 'refused') {
      const word = answer.reason === 'source_connect_rate' ? 'quota' : 'busy';
      const refusal = { detail: 'by a limit', answer: refuse(connect.version, word), server: null, retries: 0 };
      this.#refuse(connect, { reason: answer.reason, ...refusal });
    } else client.reset();
    return false;
  }

  async #pass(hello: Hello, route: SessionRoute): Promise<void> {
    const passage = new Passage(this, this.#inbound, route, this.#shop);
    this.#stage = passage;
    const unlinked = await passage.run(cargoOf(this.#inbound, hello, route));
    const { connect } = hello;
    if (unlinked !== null) this.#refuse(connect, turnAway(connect.version, unlinked, refuse), route.view.config.name);
  }

  #refuse(connect: Connect | null, refused: Refused, backend: string = this.#inbound.frontend.defaultBackend): void {
    this.#shop.log.refused(this.#inbound, connect, backend, refused);
    sayFarewell(this.#inbound.client, refused);
  }
}

function cargoOf(inbound: Inbound, { connect, bytes }: Hello, route: SessionRoute): Cargo {
  const { frontend, websocket, source, tls } = inbound;
  const who = { sourceAddress: source.address, certCn: verifiedCn(tls) };
  const operator = { clientMs: frontend.clientMs, serverMs: route.view.config.serverMs };
  return {
    connect,
    stickValue: assigned => route.stickValue(assigned === null ? connect : { ...connect, clientId: assigned }, who),
    script: server =>
      websocket !== null && server.websocket !== null
        ? webSocketScript(inbound, websocket, server.websocket.path, connect.version)
        : mqttScript(bytes, connect.version),
    limits: link => idleLimits(connect.keepAliveS, link.serverKeepAliveS, operator),
  };
}
