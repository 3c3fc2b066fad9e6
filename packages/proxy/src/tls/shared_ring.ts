import type { RedisConnection } from '@limpet/state';
import type { Log } from '../log.ts';
import { LocalRing, lookEveryMs, type TicketRing } from './local_ring.ts';
import { RingSeal } from './ring_seal.ts';
import { advanceRing, MAX_KEYS, type TicketKey } from './ticket_ring.ts';

/** So often is the ring read again, at least. */
const READ_EVERY_MS = 3000;
/**
 * The ring outlives the last proxy that can read it by so long: a restart of all of them finds it, and one that nobody
 * can open any more (`ticket_secret` was changed) makes room.
 */
const KEPT_MS = 3_600_000;
/** Every write tells its time anew; without writes this is done once in a while. */
const KEEP_EVERY_MS = 60_000;
/** Later than any clock says: such a key only opens tickets. */
const NEVER = Number.MAX_SAFE_INTEGER;
/** Nothing waits for these calls; Redis may be busy with the table. */
const DEADLINE_MS = 1000;

/**
 * Replaces the ring if nobody else has done so.
 *
 * KEYS[1] the ring · ARGV[1] as it was read · ARGV[2] as it should be · ARGV[3] how long it is kept, ms · Result 1 or 0
 */
const REPLACE =
  "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) return 1";

export interface SharedRingOptions {
  readonly connection: RedisConnection;
  /** `global.tls.ticket_secret`. */
  readonly secret: string;
  readonly rotateMs: number;
  readonly log: Log;
  /** The keys, newest first: at once, and whenever they change. */
  tell(keys: readonly TicketKey[]): void;
}

/**
 * The ticket keys of all proxies at one Redis, under `PREFIX:tls:tickets`, sealed. Whoever is first makes them, whoever
 * notices that it is time rotates them, and everybody reads them every few seconds; so a key is known everywhere before
 * the first ticket is made with it. While Redis is away, or the ring there cannot be opened, the keys in hand stay in use.
 */
export class SharedRing implements TicketRing {
  readonly #options: SharedRingOptions;
  readonly #key: string;
  readonly #seal: RingSeal;
  readonly #timer: NodeJS.Timeout;
  /** In use until the shared ring is in hand; what was made with it until then is opened afterwards, too. */
  readonly #local: LocalRing;
  #own: readonly TicketKey[] = [];
  #shared: readonly TicketKey[] = [];
  #text: string | null = null;
  #keptAtMs = 0;
  #running: Promise<void> | null = null;
  /** The last complaint: each is made once. */
  #complaint = '';

  /** Begins with keys of its own; start() is the way to begin with the shared ones. */
  private constructor(options: SharedRingOptions) {
    this.#options = options;
    this.#key = `${options.connection.prefix}:tls:tickets`;
    this.#seal = new RingSeal(options.secret);
    this.#local = new LocalRing(options.rotateMs, keys => {
      this.#own = keys;
      this.#tell();
    });
    this.#timer = setInterval(() => void this.refresh(), Math.min(READ_EVERY_MS, lookEveryMs(options.rotateMs)));
    this.#timer.unref();
  }

  /** Resolves when the ring of Redis is in hand, or when it is known that Redis is away or has another secret. */
  static async start(options: SharedRingOptions): Promise<SharedRing> {
    const ring = new SharedRing(options);
    await options.connection.circuit.firstContact;
    await ring.refresh();
    return ring;
  }

  get keys(): readonly TicketKey[] {
    if (!this.isShared) return this.#own;
    const isShared = ({ name }: TicketKey): boolean => this.#shared.some(key => key.name.equals(name));
    const retired = this.#own.filter(key => !isShared(key)).map(key => ({ ...key, issueFromMs: NEVER }));
    return [...this.#shared, ...retired].slice(0, MAX_KEYS);
  }

  /** Whether the keys are those of all proxies. */
  get isShared(): boolean {
    return this.#shared.length > 0;
  }

  /** Reads the ring now, as after a reconnection. Resolves when that is done, whatever came of it. */
  refresh(): Promise<void> {
    this.#running ??= this.#read()
      // Whatever Redis or the connection says is told where the connection is kept; the keys in hand stay.
      .catch(() => undefined)
      .finally(() => {
        this.#running = null;
      });
    return this.#running;
  }

  /** Does not close the connection. */
  close(): void {
    clearInterval(this.#timer);
    this.#local.close();
  }

  async #read(): Promise<void> {
    const { connection } = this.#options;
    const text = await connection.reply(connection.client.get(this.#key), DEADLINE_MS);
    if (text === null) {
      await this.#create();
      return;
    }
    if (text !== this.#text && !(await this.#adopt(text))) return;
    await this.#rotate(text);
    await this.#keep();
  }

  /** There is no ring: ours becomes it, unless somebody is faster. */
  async #create(): Promise<void> {
    const { connection } = this.#options;
    const ring = this.isShared ? this.#shared : this.#own;
    const text = await this.#seal.seal(ring);
    const made = await connection.reply(connection.client.set(this.#key, text, 'PX', KEPT_MS, 'NX'), DEADLINE_MS);
    if (made === 'OK') {
      this.#use(text, ring);
      return;
    }
    const theirs = await connection.reply(connection.client.get(this.#key), DEADLINE_MS);
    if (theirs !== null) await this.#adopt(theirs);
  }

  /** False: it cannot be opened. */
  async #adopt(text: string): Promise<boolean> {
    const opened = await this.#seal.open(text);
    if (opened.kind === 'ring') {
      this.#use(text, opened.ring);
      return true;
    }
    this.#text = null;
    this.#complain(
      opened.kind === 'wrong_secret'
        ? `the session ticket keys at ${this.#key} were sealed with another ticket_secret: TLS sessions do not resume across ` +
            'these proxies; give all of them the same secret. If it was changed everywhere, the old keys make room within an hour, ' +
            `or at once by DEL ${this.#key}`
        : `what is at ${this.#key} is nothing this version of Limpet can read: TLS sessions do not resume across these proxies`,
    );
    return false;
  }

  async #rotate(text: string): Promise<void> {
    const { connection, rotateMs } = this.#options;
    const next = advanceRing(this.#shared, Date.now(), rotateMs);
    if (next === null) return;
    const sealed = await this.#seal.seal(next);
    const call = connection.client.eval(REPLACE, 1, this.#key, text, sealed, KEPT_MS);
    // Who comes second reads what the first has written, next time.
    if ((await connection.reply(call, DEADLINE_MS)) === 1) this.#use(sealed, next);
  }

  async #keep(): Promise<void> {
    const nowMs = performance.now();
    if (nowMs - this.#keptAtMs < KEEP_EVERY_MS) return;
    const { connection } = this.#options;
    await connection.reply(connection.client.pexpire(this.#key, KEPT_MS), DEADLINE_MS);
    this.#keptAtMs = nowMs;
  }

  #use(text: string, ring: readonly TicketKey[]): void {
    this.#text = text;
    this.#shared = ring;
    this.#keptAtMs = performance.now();
    this.#complaint = '';
    this.#local.close();
    this.#tell();
  }

  #tell(): void {
    this.#options.tell(this.keys);
  }

  #complain(message: string): void {
    if (message === this.#complaint) return;
    this.#complaint = message;
    this.#options.log.error('tls_tickets_not_shared', {}, message);
  }
}
