import type { Linked, Refused } from './account/session_log.ts';
import { type Connecting, Connector } from './dial/connector.ts';
import { turnAway } from './dial/turn_away.ts';
import { NOBODY } from './endpoint.ts';
import { readHello } from './preread/read_hello.ts';
import { refuse } from './preread/refusal.ts';
import { idleLimits } from './relay/idle.ts';
import { Relay } from './relay/relay.ts';
import { Placement } from './route/placement.ts';
import type { Connect, Hello, Inbound, StopReason } from './stages.ts';
import type { LiveSession, SessionRoute, Workshop } from './workshop.ts';

/** What stop() and serverFell() mean in the stage that is running. */
type Stage = Pick<LiveSession, 'stop' | 'serverFell'>;
const IDLE: Stage = { stop() {}, serverFell() {} };

/** One client's way through all stages. Owns the client's endpoint; when run() is over, everything is closed. */
export class Session implements LiveSession {
  readonly frontend: string;
  readonly #inbound: Inbound;
  readonly #shop: Workshop;
  readonly #route: SessionRoute;
  #stage: Stage = IDLE;

  constructor(inbound: Inbound, shop: Workshop) {
    this.frontend = inbound.frontend.name;
    this.#inbound = inbound;
    this.#shop = shop;
    this.#route = shop.routeOf(inbound);
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
    if (hello !== null) await this.#serve(hello);
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

  async #serve(hello: Hello): Promise<void> {
    const { connect } = hello;
    const { id, source, client } = this.#inbound;
    const stickValue = (clientId: string) => this.#route.stickValue({ ...connect, clientId }, source.address);
    const placement = new Placement(this.#route, id, stickValue(connect.clientId), source.address);
    const connecting = await this.#connect(hello, placement);
    if (connecting.kind === 'linked') {
      const { assignedClientId } = connecting;
      const assigned = assignedClientId === null ? null : stickValue(assignedClientId);
      await this.#relay({ inbound: this.#inbound, connect, ...connecting }, placement.accepted(assigned));
      placement.release();
      return;
    }
    placement.abandoned();
    if (connecting.kind === 'cancelled') client.reset();
    else this.#refuse(connect, turnAway(connect.version, connecting, refuse));
  }

  async #connect(hello: Hello, placement: Placement): Promise<Connecting> {
    const { view, seen } = this.#route;
    const connector = new Connector(this.#inbound, hello, view.config, this.#shop, {
      next: () => placement.next(),
      seen,
      trying: server => this.#shop.registry.moved(this, view.config.name, server),
    });
    this.#stage = { stop: () => connector.cancel(), serverFell: () => connector.skip() };
    this.#inbound.client.attach({ ...NOBODY, closed: () => connector.cancel() });
    return await connector.run();
  }

  /** `placed`: the stick table knows of it; nothing of the broker reaches the client before. */
  async #relay(linked: Linked, placed: Promise<void>): Promise<void> {
    const { client, frontend } = this.#inbound;
    const { serverMs, onMarkedDown } = this.#route.view.config;
    const operator = { clientMs: frontend.clientMs, serverMs };
    const limits = idleLimits(linked.connect.keepAliveS, linked.link.serverKeepAliveS, operator);
    const relay = new Relay(client, linked.link.server, limits, this.#shop.wheel);
    const serverFell = onMarkedDown === 'keep' ? IDLE.serverFell : () => relay.stop('server_down');
    this.#stage = { stop: reason => relay.stop(reason), serverFell };
    this.#shop.log.connected(linked);
    await placed;
    const end = await relay.run(linked.link.toClient);
    this.#shop.log.ended(linked, { end, bytesIn: client.bytesIn, bytesOut: client.bytesOut });
  }

  /** Tells the client why, where it may be told, and closes. */
  #refuse(connect: Connect | null, refused: Refused): void {
    const { client } = this.#inbound;
    this.#shop.log.refused(this.#inbound, connect, this.#route.view.config.name, refused);
    client.attach(NOBODY);
    if (refused.answer !== null) client.write(refused.answer);
    client.close();
  }
}
