import { connectRedis, type RedisConnection, vipLease } from '@limpet/state';
import { openLink } from '../beat/bind.ts';
import type { VipConfig } from '../config/config.ts';
import { AddressBook } from '../host/address.ts';
import { Announcer, missingAnnouncers } from '../host/announcer.ts';
import { HookRunner } from '../host/hooks.ts';
import { Host } from './host.ts';
import { createLog, type Log } from './log.ts';
import { type OrderPipe, type Orders, openOrderPipe } from './orders.ts';

/** The end, whatever hangs. */
const longestEndMs = 2_000;
/** For the last heartbeats and for giving the lease back. */
const lastWordsMs = 30;

/**
 * The worker: holds the address, and tells the supervisor that it is alive. It ends when it is told to, or when the
 * supervisor is gone; the address is off the interface by then.
 */
export async function runWorker(): Promise<void> {
  // Both are the supervisor's to answer.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
  const log = createLog(line => process.stdout.write(line));
  process.stdout.on('error', () => undefined);
  const pipe = openOrderPipe();
  const orders = await Promise.race([pipe.orders, pipe.stopped]);
  if (orders === undefined) return;
  const worker = await Worker.start(orders, log, pipe);
  await pipe.stopped;
  await worker.stop();
}

class Worker {
  readonly #host: Host;
  readonly #hooks: HookRunner;
  readonly #redis: RedisConnection | null;
  readonly #finished: Promise<void>;

  private constructor(host: Host, hooks: HookRunner, redis: RedisConnection | null, finished: Promise<void>) {
    this.#host = host;
    this.#hooks = hooks;
    this.#redis = redis;
    this.#finished = finished;
  }

  static async start({ config, highest }: Orders, log: Log, pipe: OrderPipe): Promise<Worker> {
    let host: Host | null = null;
    const secret = Buffer.from(config.secret, 'utf8');
    const { name, self, peer, terms } = config;
    const { deadMs, leaseMs } = terms;
    // Before anything is changed: who cannot have the port shall not touch the address either.
    const link = await openLink({
      ...{ name, self, peer, secret, deadMs, leaseMs },
      onBeat: heard => host?.happen({ kind: 'heard', beat: heard }),
      onTrouble: message => log.warn('vip_peer', message),
    });
    const book = new AddressBook(config.addresses, config.device);
    // What an earlier life has left behind.
    const hasLeftover = config.addressBy === 'ip' && !(await book.remove());
    const announcer = new Announcer(config.addresses, config.device);
    await tellMissing(config, log);
    const hooks = new HookRunner(config.hooks);
    const redis = config.redis === null ? null : connectRedis({ ...config.redis, ...redisNews(log) });
    const lease = redis === null ? null : vipLease(redis, config.name, config.self.text);
    let finish = (): void => {};
    const finished = new Promise<void>(resolve => {
      finish = resolve;
    });
    const beat = beatWriter(pipe, config.terms.intervalMs / 4);
    const parts = { config, log, book, announcer, hooks, lease, highest, hasLeftover, onTurn: beat, onFinish: finish };
    host = new Host(parts);
    host.start(link);
    return new Worker(host, hooks, redis, finished);
  }

  async stop(): Promise<void> {
    const timer = setTimeout(() => process.exit(1), longestEndMs);
    this.#host.happen({ kind: 'stop' });
    await this.#finished;
    await new Promise(resolve => setTimeout(resolve, lastWordsMs));
    this.#host.close();
    clearTimeout(timer);
    await Promise.race([Promise.all([this.#hooks.idle(), this.#redis?.close()]), later(longestEndMs)]);
  }
}

function later(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms).unref());
}

async function tellMissing({ addresses, addressBy }: VipConfig, log: Log): Promise<void> {
  if (addressBy === 'hook') return;
  for (const what of await missingAnnouncers(addresses)) {
    log.warn('vip_announce', `neighbours learn of a move late: there is no ${what}`);
  }
}

function redisNews(log: Log): { onAway: (reason: Error) => void; onBack: (awayMs: number) => void } {
  return {
    onAway: reason => log.warn('vip_redis_away', `${reason.message}; the heartbeats decide`),
    onBack: awayMs => log.info('vip_redis_back', 'Redis answers again', { away_ms: awayMs }),
  };
}

/** A line for each change, and one every now and then: the supervisor kills a worker that is silent. */
function beatWriter(pipe: OrderPipe, everyMs: number): (role: string, fence: number) => void {
  let last = '';
  let lastMs = -Infinity;
  return (role, fence) => {
    const line = `${role} ${fence}\n`;
    const nowMs = performance.now();
    if (line === last && nowMs - lastMs < everyMs) return;
    last = line;
    lastMs = nowMs;
    pipe.write(line);
  };
}
