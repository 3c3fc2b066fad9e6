import type { Snapshot } from '../snapshot.ts';

export type Labels = Readonly<Record<string, string>>;

/** One value of a family. */
export interface Sample {
  /** As they are written: `backend="emqx",server="emqx1"`; empty: none. */
  readonly labels: string;
  readonly value: number;
  /** Behind the family's name: `_bucket`; empty: nothing. */
  readonly suffix: string;
}

/** All values of one name: what HELP and TYPE speak of. */
export interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** Names of its labels, beside `le`. Their values come from the configuration or a closed set, never from a client. */
  readonly labels: readonly string[];
  /** One sentence. */
  readonly help: string;
  readonly samples: (snapshot: Snapshot) => readonly Sample[];
}

/** A kind of thing that has metrics, one of them, or as many as are configured. */
export interface Subject<Thing> {
  /** `limpet_server`. */
  readonly prefix: string;
  readonly labels: readonly string[];
  readonly all: (snapshot: Snapshot) => readonly (readonly [labels: Labels, thing: Thing])[];
}

/** A number of each thing; null: this one has none. */
export function each<Thing>(
  subject: Subject<Thing>,
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  numberOf: (thing: Thing) => number | null,
): Family {
  const samples = (snapshot: Snapshot): readonly Sample[] => {
    const all: Sample[] = [];
    for (const [labels, thing] of written(subject, snapshot)) {
      const value = numberOf(thing);
      if (value !== null) all.push({ labels, value, suffix: '' });
    }
    return all;
  };
  return { name: `${subject.prefix}_${name}`, type, labels: subject.labels, help, samples };
}

/** Several numbers of each thing, told apart by labels of their own. */
export function eachOf<Thing>(
  subject: Subject<Thing>,
  type: 'counter' | 'gauge',
  name: string,
  own: readonly string[],
  help: string,
  numbersOf: (thing: Thing) => readonly (readonly [own: readonly string[], value: number])[],
): Family {
  const samples = (snapshot: Snapshot): readonly Sample[] => {
    const all: Sample[] = [];
    for (const [labels, thing] of written(subject, snapshot)) {
      for (const [values, value] of numbersOf(thing)) {
        all.push({ labels: joined(labels, ownText(own, values)), value, suffix: '' });
      }
    }
    return all;
  };
  return { name: `${subject.prefix}_${name}`, type, labels: [...subject.labels, ...own], help, samples };
}

/** Labels as they are written. */
export function labelText(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => pair(name, value))
    .join(',');
}

/** Two texts of labels as one. */
export function joined(first: string, second: string): string {
  return first === '' ? second : `${first},${second}`;
}

function ownText(names: readonly string[], values: readonly string[]): string {
  let text = '';
  for (const [place, name] of names.entries()) text = joined(text, pair(name, values[place] ?? ''));
  return text;
}

function pair(name: string, value: string): string {
  const safe = /[\\"\n]/.test(value)
    ? value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
    : value;
  return `${name}="${safe}"`;
}

type Written = readonly (readonly [labels: string, thing: unknown])[];

/** Dozens of families tell of one server: its labels are written once a snapshot. */
const known = new WeakMap<Snapshot, Map<object, Written>>();

/** The things of a snapshot with their labels as they are written. */
export function written<Thing>(
  subject: Subject<Thing>,
  snapshot: Snapshot,
): readonly (readonly [labels: string, thing: Thing])[] {
  const subjects = known.get(snapshot) ?? new Map<object, Written>();
  known.set(snapshot, subjects);
  const before = subjects.get(subject) as readonly (readonly [labels: string, thing: Thing])[] | undefined;
  if (before !== undefined) return before;
  const all = subject.all(snapshot).map(([labels, thing]) => [labelText(labels), thing] as const);
  subjects.set(subject, all);
  return all;
}
