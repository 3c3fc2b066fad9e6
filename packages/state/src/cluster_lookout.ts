import { redisFailure } from './redis_failure.ts';
import { causeOf, type Known, type Lookout, openQuietly, within } from './redis_lookout.ts';
import { type PlaceOptions, placeText, type RedisPlace } from './redis_target.ts';
import { readSlots, type SlotMap } from './slots.ts';
import { StateError } from './state_error.ts';

/** Replicas that are asked at once, where no master answers. */
const replicasAsked = 8;

/** Of a cluster: any server knows all of them. */
export class ClusterLookout implements Lookout {
  readonly #seeds: readonly RedisPlace[];
  readonly #options: PlaceOptions;
  readonly #name: string;
  readonly #served: () => readonly Known[];
  #replicas: readonly RedisPlace[] = [];
  #isClosed = false;

  /** `served`: masters that take writes now. They are asked first: one that was cut off from the others takes none. */
  constructor(seeds: readonly RedisPlace[], options: PlaceOptions, name: string, served: () => readonly Known[]) {
    this.#seeds = seeds;
    this.#options = options;
    this.#name = name;
    this.#served = served;
  }

  async look(): Promise<SlotMap> {
    const served = this.#served();
    const first = served[Math.floor(Math.random() * served.length)];
    const others = [...this.#seeds, ...this.#replicas].slice(0, this.#seeds.length + replicasAsked);
    const map = first === undefined ? null : await this.#ask(first).catch(() => null);
    return this.#note(map ?? (await firstOf(others.map(place => this.#askAt(place)))));
  }

  close(): void {
    this.#isClosed = true;
  }

  #note(map: SlotMap): SlotMap {
    this.#replicas = map.replicas;
    return map;
  }

  async #ask({ client, place }: Known): Promise<SlotMap> {
    const map = readSlots(await within(client.cluster('SLOTS'), placeText(place)), place);
    if (map !== null) return map;
    throw new StateError(
      'REDIS_REFUSED',
      `Redis ${placeText(place)} tells of no slots`,
      'Is it a cluster? A single server is given by state.redis.url.',
    );
  }

  async #askAt(place: RedisPlace): Promise<SlotMap> {
    if (this.#isClosed) throw redisFailure(new Error('closed'), placeText(place));
    const client = openQuietly({ ...this.#options, host: place.host, port: place.port }, this.#name, () => null);
    try {
      return await this.#ask({ client, place });
    } catch (error) {
      throw causeOf(client, error, place);
    } finally {
      client.disconnect();
    }
  }
}

/** The first answer. @throws the first failure, where all fail */
async function firstOf<T>(answers: readonly Promise<T>[]): Promise<T> {
  try {
    return await Promise.any(answers);
  } catch (error) {
    throw error instanceof AggregateError ? error.errors[0] : error;
  }
}
