/**
 * What a row says of a target, and whether that is what was aimed at. Pure.
 */
import { type Spread, spreadOf } from './figures.ts';
import { type Row, ratiosOf, valuesOf } from './measure.ts';

export interface Verdict {
  /** Of the ratios, or of the values themselves, as the row is judged. */
  readonly spread: Spread;
  /** Null: nothing was aimed at. */
  readonly limit: number | null;
  /** Whether the median is within the limit; null: there is none. */
  readonly isMet: boolean | null;
}

/** Null: the target was not measured in this row, or it is what the others are compared with. */
export function verdictOf(row: Row, target: string): Verdict | null {
  if (row.by === 'ratio' && target === row.base) return null;
  const values = row.by === 'ratio' ? ratiosOf(row, target) : valuesOf(row.measures[target] ?? [], row.judged);
  if (values.length === 0) return null;
  const spread = spreadOf(values);
  const limit = row.limits[target] ?? null;
  return { spread, limit, isMet: limit === null ? null : isWithin(row, spread.median, limit) };
}

/** A figure that is written with two decimals is judged by those. */
function isWithin({ atLeast }: Row, median: number, limit: number): boolean {
  const value = Math.round(median * 100) / 100;
  return atLeast ? value >= limit : value <= limit;
}

/** The row as it is, and as it is compared with each of its other bases. */
export function comparisonsOf(row: Row): Row[] {
  return [row, ...(row.others ?? []).map(({ base, limits }) => ({ ...row, base, limits }))];
}

/** Targets that have measures in the row, in their order. */
export function targetsOf(row: Row): string[] {
  return Object.keys(row.measures).filter(target => (row.measures[target] ?? []).length > 0);
}

/** Everything that was lost in a row, once each, with how many runs saw it. */
export function lossesOf(row: Row): string[] {
  return targetsOf(row).flatMap(target => {
    const seen = new Map<string, number>();
    for (const what of (row.measures[target] ?? []).flatMap(({ lost }) => lost)) {
      seen.set(what, (seen.get(what) ?? 0) + 1);
    }
    return [...seen].map(([what, runs]) => `${row.title}, ${target}: ${what}${runs > 1 ? ` (${runs} runs)` : ''}`);
  });
}
