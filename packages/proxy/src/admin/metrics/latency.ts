import { type Histogram, LATENCY_BOUNDS_MS } from '../../account/counters.ts';
import type { Snapshot } from '../snapshot.ts';
import { type Family, joined, type Sample, type Subject, written } from './family.ts';

const MS = 1000;
const BOUNDS: readonly string[] = LATENCY_BOUNDS_MS.map(bound => `le="${bound / MS}"`);
const NO_BOUND = 'le="+Inf"';

/** A histogram of each thing, in seconds and cumulative, as Prometheus wants it. */
export function eachLatency<Thing>(
  subject: Subject<Thing>,
  name: string,
  help: string,
  histogramOf: (thing: Thing) => Histogram,
): Family {
  const samples = (snapshot: Snapshot): readonly Sample[] => {
    const all: Sample[] = [];
    for (const [labels, thing] of written(subject, snapshot)) addTo(all, labels, histogramOf(thing));
    return all;
  };
  return { name: `${subject.prefix}_${name}`, type: 'histogram', labels: subject.labels, help, samples };
}

function addTo(all: Sample[], labels: string, { buckets, sumMs, count }: Histogram): void {
  let value = 0;
  for (const [place, bound] of BOUNDS.entries()) {
    value += buckets[place] ?? 0;
    all.push({ labels: joined(labels, bound), value, suffix: '_bucket' });
  }
  all.push(
    { labels: joined(labels, NO_BOUND), value: count, suffix: '_bucket' },
    { labels, value: sumMs / MS, suffix: '_sum' },
    { labels, value: count, suffix: '_count' },
  );
}
