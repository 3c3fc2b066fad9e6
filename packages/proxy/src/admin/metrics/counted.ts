import type { Counter, Counts } from '../../account/counters.ts';
import type { ScopeFacts } from '../snapshot.ts';
import { each, eachOf, type Family, type Subject } from './family.ts';

/** A counter that is always there, from 0 on, so that its rate is known from the first. */
export function total<Thing extends ScopeFacts>(
  subject: Subject<Thing>,
  name: string,
  help: string,
  counter: Counter,
): Family {
  return each(subject, 'counter', `${name}_total`, help, ({ counts }) => counts[counter] ?? 0);
}

/** A family of counters: `end:` → one value a label. Those of `always` are there from 0 on. */
export function totals<Thing extends ScopeFacts>(
  subject: Subject<Thing>,
  name: string,
  labels: readonly string[],
  help: string,
  counter: string,
  always: readonly string[] = [],
): Family {
  return eachOf(subject, 'counter', `${name}_total`, labels, help, ({ counts }) => {
    const all = new Map(always.map(label => [label, 0]));
    for (const [label, value] of family(counts, counter)) all.set(label, value);
    return [...all].map(([label, value]) => [label.split(':'), value]);
  });
}

/** `stick:degraded` is no way to a server, but says of some of them that the shared table was away. */
const APART: ReadonlySet<string> = new Set(['stick:degraded']);

function family(counts: Counts, counter: string): readonly (readonly [label: string, value: number])[] {
  const found: (readonly [label: string, value: number])[] = [];
  for (const name in counts) {
    if (name.startsWith(counter) && !APART.has(name))
      found.push([name.slice(counter.length), counts[name as Counter] ?? 0]);
  }
  return found;
}

/** What every scope has. */
export function traffic<Thing extends ScopeFacts>(subject: Subject<Thing>): readonly Family[] {
  return [
    each(subject, 'gauge', 'current_sessions', 'Sessions now.', ({ sessions }) => sessions),
    each(subject, 'gauge', 'max_sessions', 'The most sessions there ever were at once.', one => one.sessionsMax),
    total(subject, 'sessions', 'Sessions that got a broker.', 'sessions'),
    total(subject, 'received_bytes', 'Bytes from clients.', 'bytes_in'),
    total(subject, 'sent_bytes', 'Bytes to clients.', 'bytes_out'),
    totals(subject, 'ended', ['reason'], 'Sessions that ended, by which side was first and how.', 'end:'),
  ];
}
