import { Redis } from 'ioredis';
import { redisFailure } from './redis_failure.ts';
import { clientOptions } from './redis_node.ts';
import { type PlaceOptions, placeText, type RedisPlace } from './redis_target.ts';
import { isPort, readSlots, type SlotMap, wholeMap } from './slots.ts';
import { StateError } from './state_error.ts';

/** Who is asked who has the keys. A lookout owns its own connections. */
export interface Lookout {
  /**
   * Which server has which keys now.
   * @throws StateError where nobody answers in time
   */
  look(): Promise<SlotMap>;
  close(): void;
}

/** A look is nobody's wait. */
const lookMs = 1000;
/** Servers that are asked at once where none answers by itself. */
const askedAtOnce = 8;

interface Known {
  readonly place: RedisPlace;
  readonly client: Redis;
}

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
    const others = [...this.#seeds, ...this.#replicas].slice(0, this.#seeds.length + askedAtOnce);
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

/**
 * Of a master with sentinels. All are asked, and the newest word counts (`config-epoch`): a sentinel that was cut off may
 * still name a master that the others have left.
 */
export class SentinelLookout implements Lookout {
  readonly #sentinels: readonly { readonly place: RedisPlace; readonly client: Redis }[];
  readonly #master: string;
  #epoch = -1;

  constructor(sentinels: readonly RedisPlace[], master: string, options: PlaceOptions, name: string) {
    this.#master = master;
    this.#sentinels = sentinels.map(place => ({
      place,
      client: openQuietly({ ...options, host: place.host, port: place.port }, name, () => lookMs),
    }));
  }

  async look(): Promise<SlotMap> {
    const answers = await mostOf(this.#sentinels.map(sentinel => this.#ask(sentinel)));
    const newest = answers.reduce((one, other) => (other.epoch > one.epoch ? other : one));
    if (newest.epoch < this.#epoch) {
      const what = `the sentinels of ${this.#master} that answer know no more than the past`;
      throw new StateError('REDIS_AWAY', what, 'Check that most of the sentinels run and can be reached.');
    }
    this.#epoch = newest.epoch;
    return wholeMap(newest.place);
  }

  close(): void {
    for (const { client } of this.#sentinels) client.disconnect();
  }

  async #ask({ place, client }: Known): Promise<{ readonly place: RedisPlace; readonly epoch: number }> {
    const address = `sentinel ${placeText(place)}`;
    const asked = within(client.call('SENTINEL', 'MASTER', this.#master), address);
    const reply: unknown = await asked.catch((error: unknown) => {
      throw causeOf(client, error, place);
    });
    const facts = readPairs(reply);
    const port = Number(facts.get('port'));
    const host = facts.get('ip') ?? '';
    if (host !== '' && host.length <= 255 && isPort(port)) {
      return { place: { host, port }, epoch: Number(facts.get('config-epoch')) || 0 };
    }
    const what = `Redis ${address} knows of no master ${this.#master}`;
    throw new StateError('REDIS_REFUSED', what, 'Compare state.redis.master with `sentinel monitor` there.');
  }
}

function readPairs(reply: unknown): ReadonlyMap<string, string> {
  const facts = new Map<string, string>();
  if (!Array.isArray(reply)) return facts;
  for (let i = 0; i + 1 < reply.length; i += 2) facts.set(String(reply[i]), String(reply[i + 1]));
  return facts;
}

/** A client that waits for its connection, and whose errors are told by its commands. */
function openQuietly(options: PlaceOptions, name: string, retryMs: () => number | null): Redis {
  const client = new Redis({
    ...options,
    ...clientOptions(lookMs, name),
    enableOfflineQueue: true,
    connectTimeout: lookMs,
    retryStrategy: retryMs,
  });
  client.on('error', (error: unknown) => causes.set(client, error));
  client.on('ready', () => causes.delete(client));
  return client;
}

/** Why a client has no connection. Its commands only say that there is none. */
const causes = new WeakMap<Redis, unknown>();

function causeOf(client: Redis, error: unknown, place: RedisPlace): StateError {
  return redisFailure(causes.get(client) ?? error, placeText(place));
}

async function within<T>(command: Promise<T>, address: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`no answer within ${lookMs} ms`);
    timer = setTimeout(() => reject(error), lookMs);
  });
  try {
    return await Promise.race([command, late]);
  } catch (error) {
    throw redisFailure(error, address);
  } finally {
    clearTimeout(timer);
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

/** The answers of more than half, or all that came. @throws the first failure, where all fail */
function mostOf<T>(asked: readonly Promise<T>[]): Promise<readonly T[]> {
  return new Promise((resolve, reject) => {
    const answers: T[] = [];
    let open = asked.length;
    const settle = (): void => {
      if (answers.length * 2 > asked.length || (open === 0 && answers.length > 0)) resolve(answers);
    };
    for (const one of asked) {
      one.then(
        answer => {
          open--;
          answers.push(answer);
          settle();
        },
        (error: unknown) => {
          open--;
          if (open === 0 && answers.length === 0) reject(error);
          settle();
        },
      );
    }
  });
}
