import type { Tally } from '../../account/tally.ts';
import type { Config } from '../../config/resolved.ts';
import { LimpetError } from '../../errors.ts';
import type { KeptTls } from '../../tls/kept.ts';
import type { BindRef } from '../wire.ts';
import type { Frontends } from './frontends.ts';
import type { Generations } from './generations.ts';
import type { Listeners } from './listeners.ts';
import type { PrimaryLink } from './primary_link.ts';
import type { Routes } from './routes.ts';

/** What the primary gives a worker with a configuration. */
export interface Given {
  /** All that it listens on. */
  readonly binds: readonly BindRef[];
  readonly kept: KeptTls;
}

/** The worker that takes a configuration over, and what of it the configuration reaches. */
export interface AdoptionPlace {
  readonly name: string;
  readonly link: PrimaryLink;
  readonly routes: Routes;
  readonly frontends: Frontends;
  readonly generations: Generations;
  readonly listeners: Listeners;
  readonly tally: Tally;
  setLimits(config: Config): void;
  /** It listens on nothing any more. */
  isDraining(): boolean;
}

/** How a worker takes configurations over: its first one, and each that a reload brings, one after the other. */
export class Adoption {
  readonly #place: AdoptionPlace;
  #turn: Promise<void> = Promise.resolve();
  /** It could not take a configuration over, and is replaced. */
  #isBehind = false;

  constructor(place: AdoptionPlace) {
    this.#place = place;
  }

  /** The first one; says so when it is in use. A rejection ends the worker, with its reason. */
  begin(config: Config, given: Given): void {
    this.#place.listeners.want(given.binds);
    this.#turn = this.#take(config, given).then(() => this.#place.link.say(['ready']));
  }

  /** Goes over to another configuration, and says so. One that cannot be taken over leaves everything as it was. */
  reconfigure(generation: number, config: Config, given: Given): void {
    const { link, listeners, isDraining } = this.#place;
    if (!isDraining()) listeners.want(given.binds);
    this.#turn = this.#turn
      .then(() => this.#take(config, given))
      .then(
        () => link.say(['configured', generation, null]),
        error => {
          this.#isBehind = true;
          link.say(['configured', generation, error instanceof Error ? error.message : String(error)]);
        },
      );
  }

  /** Another worker is full, or has room again. New ones are of the configuration that was told before: so they wait for it. */
  rebind(binds: readonly BindRef[]): void {
    if (this.#place.isDraining()) return;
    this.#place.listeners.want(binds);
    this.#turn = this.#turn.then(() => {
      if (!this.#isBehind) this.#listenOn(binds);
    });
  }

  /** What a reload has taken away, and the last one who could use it has left. */
  forget(): void {
    const { generations, routes, frontends } = this.#place;
    const { oldest } = generations;
    routes.forget(oldest);
    frontends.forget(oldest);
  }

  /** Everything is read before anything changes; then it changes in one turn; then new binds listen. */
  async #take(config: Config, { binds, kept }: Given): Promise<void> {
    const { routes, frontends, generations, tally, listeners } = this.#place;
    const servers = await routes.prepare(config, kept.servers);
    const certificates = await frontends.prepare(config, kept.binds).catch((error: unknown) => {
      servers.abort();
      throw error;
    });
    servers.commit();
    certificates.commit();
    const before = generations.advance();
    this.#place.setLimits(config);
    routes.reconfigure(config, before);
    frontends.reconfigure(config, before);
    tally.forget();
    this.#listenOn(binds);
    this.forget();
    await listeners.opened().catch((error: unknown) => this.#cannotListen(error));
  }

  #listenOn(binds: readonly BindRef[]): void {
    const { isDraining, listeners, frontends } = this.#place;
    if (!isDraining()) for (const bind of binds) listeners.set(bind, frontends.entry(bind));
  }

  #cannotListen(error: unknown): never {
    const what = error instanceof Error ? error.message : String(error);
    const remedy = 'see whether another program has the port';
    throw new LimpetError('BIND_FAILED', `worker ${this.#place.name} cannot listen: ${what}`, remedy);
  }
}
