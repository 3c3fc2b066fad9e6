import { causeOf, type Known, type Lookout, lookMs, openQuietly, within } from './redis_lookout.ts';
import { type PlaceOptions, placeText, type RedisPlace } from './redis_target.ts';
import { isPort, type SlotMap, wholeMap } from './slots.ts';
import { StateError } from './state_error.ts';

/** Sentinels tell each other of a failover every 2 s. Most of them that know less for longer have been set up anew. */
const anewAfterMs = 5000;

/**
 * Of a master with sentinels. All are asked, and the newest word counts (`config-epoch`): a sentinel that was cut off may
 * still name a master that the others have left. Only where most of them go on counting lower they are believed, in the end.
 */
export class SentinelLookout implements Lookout {
  readonly #sentinels: readonly Known[];
  readonly #master: string;
  #epoch = -1;
  /** Since when most of them count lower than before; null: they do not. */
  #lowerSinceMs: number | null = null;

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
    const isMost = answers.length * 2 > this.#sentinels.length;
    if (newest.epoch < this.#epoch && !this.#countsAnew(isMost)) {
      const what = `the sentinels of ${this.#master} that answer know no more than the past`;
      throw new StateError('REDIS_AWAY', what, 'Check that most of the sentinels run and can be reached.');
    }
    this.#epoch = newest.epoch;
    this.#lowerSinceMs = null;
    return wholeMap(newest.place);
  }

  close(): void {
    for (const { client } of this.#sentinels) client.disconnect();
  }

  #countsAnew(isMost: boolean): boolean {
    const nowMs = performance.now();
    this.#lowerSinceMs = isMost ? (this.#lowerSinceMs ?? nowMs) : null;
    return this.#lowerSinceMs !== null && nowMs - this.#lowerSinceMs >= anewAfterMs;
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
