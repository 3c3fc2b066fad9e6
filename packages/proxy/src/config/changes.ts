import { isDeepStrictEqual } from 'node:util';
import { writeDuration, writeSize } from './units.ts';

/** How a value is shown; null: it is not, and the line only says that it changed (it is long, or may hold a secret). */
type Writer = ((value: never) => string) | null;
/** Which values are compared, as they are written in YAML. */
export type Words<Config> = { readonly [Key in keyof Config]?: readonly [word: string, write: Writer] };

export const changed: Writer = null;
export const plain: Writer = (value: unknown): string => String(value ?? 'none');
export const duration: Writer = (ms: number | null): string => (ms === null ? 'none' : writeDuration(ms));
export const size: Writer = (bytes: number): string => writeSize(bytes);
export const rate: Writer = (perSecond: number | null): string => (perSecond === null ? 'none' : `${perSecond}/s`);

/** Gathers one line a change. */
export class Changes {
  readonly lines: string[] = [];

  add(line: string): void {
    this.lines.push(line);
  }

  /** `backend emqx: balance roundrobin → leastconn`, or `backend emqx: stick changed`. */
  compare<Config>(title: string, words: Words<Config>, before: Config, after: Config): void {
    for (const [key, entry] of Object.entries(words) as [keyof Config, readonly [string, Writer]][]) {
      if (isDeepStrictEqual(before[key], after[key])) continue;
      const [word, write] = entry;
      const show = write as ((value: unknown) => string) | null;
      const what = show === null ? 'changed' : `${show(before[key])} → ${show(after[key])}`;
      this.add(`${title}: ${word} ${what}`);
    }
  }

  /** Things with names: what came, what went, and what stayed. */
  named<Thing extends { readonly name: string }>(
    kind: string,
    before: readonly Thing[],
    after: readonly Thing[],
    stayed: (was: Thing, is: Thing) => void,
  ): void {
    const next = new Map(after.map(thing => [thing.name, thing]));
    const known = new Map(before.map(thing => [thing.name, thing]));
    for (const name of known.keys()) if (!next.has(name)) this.add(`${kind} ${name} removed`);
    for (const [name, thing] of next) {
      const was = known.get(name);
      if (was === undefined) this.add(`${kind} ${name} added`);
      else stayed(was, thing);
    }
  }
}
