import { connectError } from './account/connect_error.ts';
import { versionWord } from './account/live_facts.ts';
import type { Refused } from './account/session_log.ts';
import { MqttCargo } from './cargo.ts';
import { FirstBytes } from './first_bytes.ts';
import { Passage } from './passage.ts';
import { readHello } from './preread/read_hello.ts';
import { connack } from './preread/refusal.ts';
import { refuseCode } from './route/rules.ts';
import { verifiedCn } from './route/stick_key.ts';
import type { Connect, Inbound, StopReason } from './stages.ts';
import { type Turn, waitForTurn } from './turn.ts';
import { pacedOut, refusalOf, sayFarewell } from './turned_away.ts';
import { Waiting, type WaitsFor } from './waiting.ts';
import type { SessionRoute, Visit, Workshop } from './workshop.ts';

/**
 * One MQTT client's way to its broker, through all stages; from there on its `Sitting` sees to it. Owns the client's
 * endpoint. `visit.over()` is called when everything is closed, at whichever stage that is.
 */
export class Session {
  readonly #visit: Visit;
  readonly #inbound: Inbound;
  readonly #shop: Workshop;
  readonly #first: FirstBytes;

  constructor(visit: Visit, inbound: Inbound, shop: Workshop) {
    this.#visit = visit;
    this.#inbound = inbound;
    this.#shop = shop;
    this.#first = new FirstBytes(shop.pool);
  }

  /** listen has brought the client; the rest is here: preread, route, dial, and then it sits. Never rejects. */
  async run(): Promise<void> {
    const connect = await this.#preread();
    const route = connect && this.#route(connect);
    const mayPass = connect !== null && route !== null && (await this.#pace(connect, route));
    if (mayPass && (await this.#pass(connect, route))) return;
    this.#first.forget();
    this.#visit.over();
  }

  /** Answers what the CONNECT says; its bytes are kept apart, for they are let go of long before the session ends. */
  async #preread(): Promise<Connect | null> {
    const reading = readHello(this.#inbound, this.#shop.pool, this.#shop.wheel);
    const stop = (reason: StopReason): void => {
      reading.cancel();
      if (reason === 'standby') this.#inbound.client.reset();
    };
    this.#wait({ stage: 'preread', connect: null, backend: null, stop });
    const preread = await reading.result;
    if (preread.kind === 'hello') {
      const { connect, bytes } = preread.hello;
      this.#shop.tally.entrance(this.#inbound).count(`connect:${versionWord(connect.version)}`);
      if (this.#first.keep(bytes, () => this.#visit.stop('killed'))) return connect;
      this.#refuse(connect, refusalOf({ kind: 'lost' }, connect.version));
    } else if (preread.kind === 'bad') {
      const error = connectError(this.#shop.name, this.#inbound, preread.refusal, preread);
      if (error !== null) this.#shop.badConnect(error);
      this.#refuse(null, { ...preread.refusal, server: null, retries: 0 });
    } else this.#inbound.client.close();
    return null;
  }

  /** The backend that the frontend's rules choose; null: they refuse. */
  #route(connect: Connect): SessionRoute | null {
    const { frontend, source, tls, websocket } = this.#inbound;
    const { clientId, username, version } = connect;
    const [address, sni, path] = [source.address, tls?.sni ?? null, websocket?.path ?? null];
    const facts = { clientId, username, version, source: address, sni, path, certCn: verifiedCn(tls) };
    const decision = this.#shop.decide(frontend.name, facts);
    if (decision.kind === 'backend') return this.#shop.routeOf(decision.backend);
    if (decision.kind === 'default') return this.#shop.routeOf(frontend.defaultBackend);
    const answer = connack(version, refuseCode(decision.word, version));
    this.#refuse(connect, { reason: 'rule', detail: decision.word, answer, server: null, retries: 0 });
    return null;
  }

  /** Whether it may go on, now or after its turn in the queue. */
  #pace(connect: Connect, { view }: SessionRoute): Promise<boolean> | true {
    const turn = waitForTurn(this.#inbound, this.#first, this.#shop, view.config.name);
    return turn === null || this.#queue(turn, connect, view.config.name);
  }

  async #queue(turn: Turn, connect: Connect, backend: string): Promise<boolean> {
    let isStopped = false;
    const stop = (): void => {
      isStopped = true;
      turn.leave();
    };
    this.#wait({ stage: 'queue', connect, backend, stop });
    const answer = await turn.result;
    // Also where it was let in: without its first bytes there is nothing to say to a broker.
    if (this.#first.isLost) this.#refuse(connect, refusalOf({ kind: 'lost' }, connect.version), backend);
    else if (answer.kind === 'in') return true;
    else if (answer.kind === 'refused') this.#refuse(connect, pacedOut(answer.reason, connect.version));
    else {
      this.#inbound.client.reset();
      if (!isStopped) this.#refuse(connect, refusalOf({ kind: 'left' }, connect.version), backend);
    }
    return false;
  }

  /** Whether it has a broker. */
  async #pass(connect: Connect, route: SessionRoute): Promise<boolean> {
    const cargo = new MqttCargo(this.#inbound, connect, this.#first, route);
    const passed = await new Passage(this.#visit, this.#inbound, route, this.#shop, cargo).run();
    if (passed === 'seated') return true;
    if (passed !== 'stopped') this.#refuse(connect, refusalOf(passed, connect.version), route.view.config.name);
    return false;
  }

  #wait(waitsFor: WaitsFor): void {
    this.#visit.serving = new Waiting(this.#shop, this.#inbound, waitsFor);
  }

  #refuse(connect: Connect | null, refused: Refused, backend: string = this.#inbound.frontend.defaultBackend): void {
    this.#shop.log.refused(this.#inbound, connect, backend, refused);
    sayFarewell(this.#inbound, refused, backend, this.#shop);
  }
}
