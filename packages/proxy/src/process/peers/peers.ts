import { type OtherProxy, type ProxyBoard, type ProxyNews, type RedisConnection, redisProxyBoard } from '@limpet/state';
import { serverScope } from '../../account/scope_names.ts';
import type { PeerFacts, Role } from '../../admin/snapshot.ts';
import type { Config } from '../../config/resolved.ts';
import type { Sight } from '../../dial/attempt.ts';
import type { ServerHealth } from '../../health/server_watch.ts';
import type { Log } from '../../log.ts';
import type { ServerStatus } from '../../route/scheduler.ts';
import { proxyVersion } from '../../version.ts';
import type { FrontDesk } from '../front_desk.ts';
import type { PairMate } from '../pair/others.ts';
import { Disputes } from './disputes.ts';
import { connsElsewhere, matesOf, peerFacts, upElsewhere } from './others.ts';
import { verdictWords } from './verdict_words.ts';

/** The primary, as the other proxies hear of it and it hears of them. */
export interface PeersPremises {
  /** As it is in use. */
  config(): Config;
  /** Null: the state is not shared. */
  readonly connection: RedisConnection | null;
  readonly desk: Pick<FrontDesk, 'conns' | 'setElsewhere'>;
  readonly servers: {
    statuses(backend: string): readonly ServerStatus[];
    health(backend: string, server: string): ServerHealth;
  };
  role(): Role;
  /** Whether it can be the active one, or, without a pair, serve. */
  isReady(): boolean;
  /** The statuses of a backend are not what they were. */
  changed(backend: string): void;
  readonly log: Pick<Log, 'error' | 'warn'>;
}

const VERSION = proxyVersion();
/** A server that is not checked is disputed by nobody; its number does not matter. */
const NO_CHECK_MS = 0;

/** The other proxies that share the state: tells them of this one, and uses what they tell. In the primary. */
export class Peers {
  readonly #premises: PeersPremises;
  readonly #startedAtMs: number = Date.now();
  readonly #disputes: Disputes = new Disputes();
  /** `backend/server` that sessions were last told to try though they are down. */
  #contested: ReadonlySet<string> = new Set();
  #board: ProxyBoard | null = null;
  /** The last role that was told of, and since when, on the clock of `performance.now`. */
  #role: Role | null = null;
  #roleAtMs: number = performance.now();

  constructor(premises: PeersPremises) {
    this.#premises = premises;
  }

  /** This process serves: from now on the others know of it. */
  start(): void {
    const { connection, config } = this.#premises;
    if (connection === null) return;
    const { name } = config().global;
    this.#board = redisProxyBoard(connection, {
      name,
      news: () => this.#news(),
      onHeard: () => this.#heard(),
      onTwin: () => this.#twin(name),
      onRefused: ({ code, message, remedy }) => {
        const fields = { code, reason: message, remedy };
        this.#premises.log.warn('peers_refused', fields, 'what the proxies tell each other cannot all be told or read');
      },
    });
  }

  /** The others hear of it at once, and what they have said counts for what it is worth in that role. */
  roleChanged(): void {
    const role = this.#premises.role();
    if (role !== this.#role) this.#roleAtMs = performance.now();
    this.#role = role;
    this.#board?.tellNow();
    this.#heard();
  }

  /** It is ready, or not any more: the others hear of it at once. */
  readinessChanged(): void {
    this.#board?.tellNow();
  }

  /** Another process of this proxy serves, and tells from now on. */
  handOver(): void {
    this.#board?.handOver();
    this.#heard();
  }

  /** The others see that this proxy is gone. */
  async close(): Promise<void> {
    await this.#board?.close();
  }

  /** This one, and behind it the others by name. */
  proxies(self: PeerFacts): readonly PeerFacts[] {
    return [self, ...this.#others().map(peerFacts)];
  }

  /** Those that are alive behind the same virtual addresses, as `global.vip` has them; null: it cannot be known now. */
  mates(): readonly PairMate[] | null {
    const { connection, config } = this.#premises;
    if (connection?.circuit.isClosed !== true || this.#board?.isInformed !== true) return null;
    return matesOf(this.#others(), config().global.vip?.addresses ?? []);
  }

  /** For a server that this proxy's checks call down: whether sessions try it all the same before their entries move. */
  isContested(backend: string, server: string): boolean {
    const found = this.#premises.config().backends.find(({ name }) => name === backend);
    const interMs = found?.servers.find(({ name }) => name === server)?.check?.interMs ?? NO_CHECK_MS;
    return this.#disputes.isOpen(serverScope(backend, server), interMs, performance.now());
  }

  /** What a session has met at a server. To be told before the checks are. */
  seen(backend: string, server: string, sight: Sight): void {
    const place = serverScope(backend, server);
    this.#disputes.seen(place, sight, this.#contested.has(place), performance.now());
    if (this.#contested.has(place)) this.#lookAtDisputes();
  }

  #others(): readonly OtherProxy[] {
    return this.#board?.others() ?? [];
  }

  #heard(): void {
    const { desk, config, role } = this.#premises;
    const others = this.#others();
    const { vip } = config().global;
    const roleForMs = performance.now() - this.#roleAtMs;
    desk.setElsewhere('proxies', connsElsewhere(others, { role: role(), vip: vip?.addresses ?? [], roleForMs }));
    this.#disputes.hear(upElsewhere(others));
    this.#lookAtDisputes();
  }

  /** Whoever places sessions hears of what has changed. */
  #lookAtDisputes(): void {
    const { changed } = this.#premises;
    const before = this.#contested;
    const places = this.#places();
    this.#disputes.keep(new Set(places.map(({ place }) => place)));
    const contested = places.filter(({ status }) => status.contested);
    this.#contested = new Set(contested.map(({ place }) => place));
    const turned = places.filter(({ place }) => this.#contested.has(place) !== before.has(place));
    for (const backend of new Set(turned.map(({ backend }) => backend))) changed(backend);
  }

  #news(): ProxyNews {
    const { config, desk, servers, role, isReady } = this.#premises;
    const places = this.#places();
    return {
      version: VERSION,
      role: role(),
      ready: isReady(),
      vip: config().global.vip?.addresses ?? [],
      startedAtMs: this.#startedAtMs,
      conns: new Map(places.map(({ place, backend, status }) => [place, desk.conns(backend, status.name)])),
      health: new Map(
        places.map(({ place, backend, status }) => [
          place,
          verdictWords(status.admin, servers.health(backend, status.name)),
        ]),
      ),
    };
  }

  #places(): { readonly place: string; readonly backend: string; readonly status: ServerStatus }[] {
    const { config, servers } = this.#premises;
    return config().backends.flatMap(({ name: backend }) =>
      servers.statuses(backend).map(status => ({ place: serverScope(backend, status.name), backend, status })),
    );
  }

  #twin(name: string): void {
    const remedy = 'Give each proxy a global.name of its own, and restart it.';
    const message = `another proxy is called ${name}, too: what the two tell of themselves is mixed up. ${remedy}`;
    this.#premises.log.error('proxy_name_taken', { proxy: name, remedy }, message);
  }
}
