import { quantileMs } from '@limpet/proxy';
import type { Overview } from '../admin/facts.ts';

/** What grows, of one scope. */
interface Grown {
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly refused: number;
  readonly ended: number;
  readonly connack: readonly number[];
}

/** What `limpet top` remembers of one look. */
export interface Sample {
  readonly atMs: number;
  /** `` for the proxy, `backend/server` for a server. */
  readonly scopes: ReadonlyMap<string, Grown>;
}

/** What happened in a scope lately. */
export interface Pace {
  /** A second. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly refused: number;
  readonly ended: number;
  /** Milliseconds, of the last minute; null: there was none. */
  readonly connackP50: number | null;
  readonly connackP99: number | null;
}

const PROXY = '';
/** Workers tell what they counted in batches: shorter would jump. */
const RATE_MS = 3_000;
const LATENCY_MS = 60_000;

/** The last minute of looks, and what happened between them. */
export class Samples {
  #samples: readonly Sample[] = [];

  add(seen: Overview): void {
    const sample = sampleOf(seen);
    // Another process counts from zero.
    const before = this.#samples.filter(({ atMs }) => atMs < sample.atMs && atMs > sample.atMs - LATENCY_MS - RATE_MS);
    this.#samples = seen.info.started_at_ms > (before[0]?.atMs ?? 0) ? [sample] : [...before, sample];
  }

  /** Null: not looked at long enough. */
  pace(scope: string = PROXY): Pace | null {
    const now = this.#samples.at(-1);
    const after = now?.scopes.get(scope);
    if (now === undefined || after === undefined) return null;
    const short = this.#before(now, RATE_MS);
    const earlier = short?.scopes.get(scope);
    if (short === undefined || earlier === undefined) return null;
    const seconds = (now.atMs - short.atMs) / 1_000;
    const long = this.#before(now, LATENCY_MS)?.scopes.get(scope) ?? earlier;
    const connack = after.connack.map((value, at) => Math.max(0, value - (long.connack[at] ?? 0)));
    return {
      bytesIn: Math.max(0, after.bytesIn - earlier.bytesIn) / seconds,
      bytesOut: Math.max(0, after.bytesOut - earlier.bytesOut) / seconds,
      refused: Math.max(0, after.refused - earlier.refused) / seconds,
      ended: Math.max(0, after.ended - earlier.ended) / seconds,
      connackP50: quantileMs(connack, 0.5),
      connackP99: quantileMs(connack, 0.99),
    };
  }

  /** The oldest one that is at most so old, but not the newest. */
  #before(now: Sample, ms: number): Sample | undefined {
    return this.#samples.find(sample => sample !== now && sample.atMs >= now.atMs - ms);
  }
}

function sampleOf({ info, frontends, backends }: Overview): Sample {
  const scopes = new Map<string, Grown>();
  const servers = backends.flatMap(backend => backend.servers);
  for (const server of servers)
    scopes.set(`${server.backend}/${server.name}`, grown([server.counts], server.connack.buckets));
  const connack = servers[0]?.connack.buckets.map((_, at) =>
    servers.reduce((sum, one) => sum + (one.connack.buckets[at] ?? 0), 0),
  );
  scopes.set(
    PROXY,
    grown(
      frontends.map(({ counts }) => counts),
      connack ?? [],
    ),
  );
  return { atMs: info.at_ms, scopes };
}

function grown(counts: readonly Readonly<Record<string, number>>[], connack: readonly number[]): Grown {
  return {
    bytesIn: family(counts, 'bytes_in'),
    bytesOut: family(counts, 'bytes_out'),
    refused: family(counts, 'refused:'),
    ended: family(counts, 'end:'),
    connack,
  };
}

/** The sum of all counters that begin so. */
function family(counts: readonly Readonly<Record<string, number>>[], prefix: string): number {
  let sum = 0;
  for (const one of counts) for (const [name, value] of Object.entries(one)) if (name.startsWith(prefix)) sum += value;
  return sum;
}
