import { randomBytes } from 'node:crypto';
import type { OtherProxy, ProxyBoard, ProxyBoardOptions, ProxyNews } from './proxy_board.ts';
import { exchangeEveryMs, isFresh, mostProxies, ProxyRoster } from './proxy_roster.ts';
import { mostLines, OwnSheet, readConns, readHealth, type Sheet, sheetTtlMs } from './proxy_sheet.ts';
import { ProxyTwins } from './proxy_twins.ts';
import { decodeProxy, encodeProxy } from './proxy_words.ts';
import type { RedisConnection } from './redis.ts';
import type { KeyCommand } from './redis_batch.ts';
import { StateError, type StateErrorCode } from './state_error.ts';

/** One command of an exchange, and what becomes of its reply. */
interface Order {
  readonly command: KeyCommand;
  readonly take: (reply: unknown) => void;
}

/** How old the own beat may get: well below the time after which a proxy is silent. */
const beatEveryMs = 900;
const forgetAfterMs = 3_600_000;
/** Verdicts are no hurry: counts are read at every exchange. */
const healthEveryMs = 500;
/** How often onHeard() is called while an exchange takes long. */
const remindEveryMs = 1000;
/** Nobody is there to refuse anything. */
const awayCodes: ReadonlySet<StateErrorCode> = new Set(['REDIS_AWAY', 'REDIS_TIMEOUT', 'REDIS_MOVING']);

/**
 * The board in Redis: `<prefix>:proxies` (who is there), `<prefix>:conns:<proxy>` and `<prefix>:health:<proxy>` (what each
 * says of its servers; gone 3 seconds after it was last said). One key in each command, all of an exchange in one round.
 * Begins at once. The connection belongs to its maker.
 */
export function redisProxyBoard(connection: RedisConnection, options: ProxyBoardOptions): ProxyBoard {
  return new RedisProxyBoard(connection, options);
}

class RedisProxyBoard implements ProxyBoard {
  readonly #connection: RedisConnection;
  readonly #options: ProxyBoardOptions;
  readonly #now: () => number;
  readonly #instance: string = randomBytes(4).toString('hex');
  readonly #roster: ProxyRoster = new ProxyRoster();
  readonly #twins: ProxyTwins = new ProxyTwins(this.#instance);
  readonly #ownConns: OwnSheet = new OwnSheet();
  readonly #ownHealth: OwnSheet = new OwnSheet();
  #healthAtMs: number = Number.NEGATIVE_INFINITY;
  #hasTold = false;
  #heardAtMs: number = Number.NEGATIVE_INFINITY;
  /** The code that was told of; null: all goes well. */
  #refused: string | null = null;
  #running: Promise<void> | null = null;
  #isAskedAgain = false;
  #timer: NodeJS.Timeout | undefined;
  #state: 'open' | 'handedOver' | 'closed' = 'open';

  constructor(connection: RedisConnection, options: ProxyBoardOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    void connection.circuit.firstContact.then(() => this.tellNow());
  }

  others(): readonly OtherProxy[] {
    return this.#state === 'open' ? this.#roster.others(this.#now()) : [];
  }

  get isInformed(): boolean {
    return this.#state === 'open' && isFresh(this.#heardAtMs, this.#now());
  }

  tellNow(): void {
    if (this.#state !== 'open') return;
    this.#isAskedAgain = true;
    clearTimeout(this.#timer);
    this.#running ??= this.#remindingAll(this.#run()).finally(() => this.#rest());
  }

  handOver(): void {
    if (this.#state === 'open') this.#state = 'handedOver';
    clearTimeout(this.#timer);
  }

  async close(): Promise<void> {
    const wasOpen = this.#state === 'open';
    this.#state = 'closed';
    clearTimeout(this.#timer);
    await this.#running;
    if (wasOpen && this.#hasTold && this.#connection.circuit.isClosed) await this.#leave();
  }

  /** One exchange, and another one where somebody asked for it meanwhile: never two at once. */
  async #run(): Promise<void> {
    while (this.#isAskedAgain && this.#state === 'open') {
      this.#isAskedAgain = false;
      if (this.#connection.circuit.isClosed) await this.#exchange();
    }
  }

  /** What the others said grows old while an exchange waits for Redis. */
  async #remindingAll(run: Promise<void>): Promise<void> {
    const timer = setInterval(() => this.#options.onHeard(), remindEveryMs).unref();
    await run.finally(() => clearInterval(timer));
  }

  #rest(): void {
    this.#running = null;
    if (this.#state !== 'open') return;
    this.#options.onHeard();
    const alive = this.others().filter(({ isAlive }) => isAlive).length;
    this.#timer = setTimeout(() => this.tellNow(), exchangeEveryMs(alive)).unref();
  }

  async #exchange(): Promise<void> {
    const news = this.#options.news();
    const nowMs = this.#now();
    const alive = this.others().filter(({ isAlive }) => isAlive);
    const readsHealth = nowMs - this.#healthAtMs >= healthEveryMs;
    if (readsHealth) this.#healthAtMs = nowMs;
    await this.#round([
      this.#beat(news),
      ...this.#tell('conns', this.#ownConns, news.conns, nowMs),
      ...this.#tell('health', this.#ownHealth, news.health, nowMs),
      ...alive.map(({ name }) =>
        this.#hear(`conns:${name}`, reply => this.#roster.hearConns(name, readConns(reply), this.#now())),
      ),
      ...(readsHealth
        ? alive.map(({ name }) =>
            this.#hear(`health:${name}`, reply => this.#roster.hearHealth(name, readHealth(reply), this.#now())),
          )
        : []),
    ]);
  }

  #beat(news: ProxyNews): Order {
    const words = encodeProxy(news, this.#instance);
    const args = [this.#options.name, words, beatEveryMs, forgetAfterMs, mostProxies] as const;
    return { command: ['proxiesBeat', this.#key('proxies'), ...args], take: reply => this.#heard(reply) };
  }

  #heard(reply: unknown): void {
    // Whoever has been handed over to meanwhile is no twin.
    if (this.#state !== 'open' || !Array.isArray(reply)) return;
    const [redisNow, before, ...fields] = reply;
    const nowMs = this.#now();
    this.#roster.hear(fields, Number(redisNow), nowMs);
    this.#heardAtMs = nowMs;
    const reading = this.#hasTold ? decodeProxy(String(before)) : null;
    this.#hasTold = true;
    if (this.#twins.saw(reading?.instance ?? '', nowMs)) this.#options.onTwin();
  }

  #tell(what: 'conns' | 'health', own: OwnSheet, sheet: Sheet<number | string>, nowMs: number): Order[] {
    const lines = own.due(sheet, nowMs);
    if (lines === null) return [];
    const key = this.#key(`${what}:${this.#options.name}`);
    return [{ command: ['proxiesTell', key, sheetTtlMs, ...lines], take: () => own.told(lines, nowMs) }];
  }

  #hear(what: string, take: Order['take']): Order {
    return { command: ['proxiesHear', this.#key(what), mostLines], take };
  }

  /** All orders at once; what each one brings is taken. Never rejects. */
  async #round(orders: readonly Order[]): Promise<void> {
    const replies = await this.#connection.batch(orders.map(({ command }) => command));
    for (const [i, { take }] of orders.entries()) if (!(replies[i] instanceof StateError)) take(replies[i]);
    this.#tellRefusal(replies.find(reply => reply instanceof StateError) ?? null);
  }

  /** Redis away is told of by others. */
  #tellRefusal(failure: StateError | null): void {
    const isThere = failure !== null && !awayCodes.has(failure.code);
    if (failure === null) this.#refused = null;
    if (!isThere || this.#refused === failure.code) return;
    this.#refused = failure.code;
    this.#options.onRefused(failure);
  }

  /** Whoever asks Redis sees at once that this proxy is gone. Where Redis fails, the rest goes by its TTL, or is silent. */
  async #leave(): Promise<void> {
    const { name } = this.#options;
    await this.#connection.batch([
      ['proxiesLeave', this.#key('proxies'), name, `instance=${this.#instance}`],
      ['proxiesTell', this.#key(`conns:${name}`), sheetTtlMs],
      ['proxiesTell', this.#key(`health:${name}`), sheetTtlMs],
    ]);
  }

  #key(what: string): string {
    return `${this.#connection.prefix}:${what}`;
  }
}
