import type { Counts } from './counters.ts';
import type { HistoryFacts } from './history_facts.ts';
import { quantileMs } from './latency.ts';
import type { Ledger, Sums } from './ledger.ts';
import { Ring } from './ring.ts';

const STEP_MS = 10_000;
/** An hour. */
const SAMPLES = 360;

type Plain = Exclude<keyof HistoryFacts, 'stepMs' | 'ends' | 'servers' | 'connackP50Ms' | 'connackP99Ms'>;

const PLAIN: readonly Plain[] = [
  'atMs',
  'sessions',
  'connections',
  'connects',
  'accepted',
  'refused',
  'bytesIn',
  'bytesOut',
];

/**
 * The last hour of the ledger. sample() is called every 10 s; memory is 360 numbers for each server that is there, and for
 * each of a dozen sums. A server that has left the ledger leaves this too.
 */
export class History {
  readonly #ledger: Pick<Ledger, 'sums'>;
  readonly #plain: ReadonlyMap<Plain, Ring>;
  readonly #p50 = new Ring(SAMPLES);
  readonly #p99 = new Ring(SAMPLES);
  readonly #ends = new Map<string, Ring>();
  readonly #servers = new Map<string, Ring>();
  #before: Sums;
  #beforeMs: number;
  #samples = 0;

  /** `nowMs`: monotonic. */
  constructor(ledger: Pick<Ledger, 'sums'>, nowMs: number) {
    this.#ledger = ledger;
    this.#plain = new Map(PLAIN.map(name => [name, new Ring(SAMPLES)]));
    this.#before = ledger.sums();
    this.#beforeMs = nowMs;
  }

  /** `nowMs`: monotonic; `atMs`: `Date.now()`. */
  sample(nowMs: number, atMs: number): void {
    const elapsedS = (nowMs - this.#beforeMs) / 1000;
    if (elapsedS <= 0) return;
    const sums = this.#ledger.sums();
    const before = this.#before;
    const rates = ratesOf(sums.total.counts, before.total.counts, elapsedS);
    const plain: Record<Plain, number> = { atMs, sessions: sums.total.sessions, ...rates };
    for (const [name, ring] of this.#plain) ring.push(plain[name]);
    const buckets = sums.total.connack.buckets.map(
      (count, bucket) => count - (before.total.connack.buckets[bucket] ?? 0),
    );
    this.#p50.push(quantileMs(buckets, 0.5) ?? Number.NaN);
    this.#p99.push(quantileMs(buckets, 0.99) ?? Number.NaN);
    this.#sampleEnds(sums.total.counts, before.total.counts);
    this.#sampleServers(sums.servers);
    this.#samples = Math.min(SAMPLES, this.#samples + 1);
    this.#before = sums;
    this.#beforeMs = nowMs;
  }

  facts(): HistoryFacts {
    const of = (name: Plain): number[] => this.#plain.get(name)?.values() ?? [];
    const orNull = (ring: Ring): (number | null)[] => ring.values().map(ms => (Number.isNaN(ms) ? null : ms));
    return {
      stepMs: STEP_MS,
      ...{ atMs: of('atMs'), sessions: of('sessions'), connections: of('connections'), connects: of('connects') },
      ...{ accepted: of('accepted'), refused: of('refused'), bytesIn: of('bytesIn'), bytesOut: of('bytesOut') },
      connackP50Ms: orNull(this.#p50),
      connackP99Ms: orNull(this.#p99),
      ends: Object.fromEntries([...this.#ends].map(([reason, ring]) => [reason, ring.values()])),
      servers: Object.fromEntries([...this.#servers].map(([name, ring]) => [name, ring.values()])),
    };
  }

  #sampleEnds(now: Counts, before: Counts): void {
    for (const [reason, ends] of endsOf(now)) {
      const inStep = ends - (before[`end:${reason}` as keyof Counts] ?? 0);
      if (inStep > 0 && !this.#ends.has(reason)) this.#ends.set(reason, this.#newRing());
      this.#ends.get(reason)?.push(inStep);
    }
    for (const [reason, ring] of this.#ends) if (!ring.hasAny()) this.#ends.delete(reason);
  }

  #sampleServers(servers: ReadonlyMap<string, number>): void {
    for (const name of this.#servers.keys()) if (!servers.has(name)) this.#servers.delete(name);
    for (const [name, sessions] of servers) {
      if (!this.#servers.has(name)) this.#servers.set(name, this.#newRing());
      this.#servers.get(name)?.push(sessions);
    }
  }

  /** As long as the others: it had nothing before. */
  #newRing(): Ring {
    const ring = new Ring(SAMPLES);
    for (let sample = 0; sample < this.#samples; sample++) ring.push(0);
    return ring;
  }
}

type Rates = Pick<Record<Plain, number>, 'connections' | 'connects' | 'accepted' | 'refused' | 'bytesIn' | 'bytesOut'>;

/** Per second. */
function ratesOf(now: Counts, before: Counts, elapsedS: number): Rates {
  const rate = (...prefixes: string[]): number => (sumOf(now, prefixes) - sumOf(before, prefixes)) / elapsedS;
  return {
    connections: rate('connections'),
    connects: rate('connect:'),
    accepted: rate('connack:3:0', 'connack:5:0'),
    refused: rate('refused:'),
    bytesIn: rate('bytes_in'),
    bytesOut: rate('bytes_out'),
  };
}

/** Of all counters with one of these names, or in one of these families (`connect:`). */
function sumOf(counts: Counts, names: readonly string[]): number {
  let sum = 0;
  for (const [counter, count] of Object.entries(counts)) {
    const isMeant = names.some(name => (name.endsWith(':') ? counter.startsWith(name) : counter === name));
    if (isMeant) sum += count ?? 0;
  }
  return sum;
}

function endsOf(counts: Counts): [reason: string, ends: number][] {
  const ends = Object.entries(counts).filter(([counter]) => counter.startsWith('end:'));
  return ends.map(([counter, count]) => [counter.slice('end:'.length), count ?? 0]);
}
