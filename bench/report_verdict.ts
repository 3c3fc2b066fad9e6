/**
 * What a row says of a target, and whether that is what was aimed at. Pure.
 */
import { middleHalf, type Spread, spreadOf } from './figures.ts';
import { type Row, ratiosOf, valuesOf } from './measure.ts';

/** The third one counts as not met: nobody can tell. */
export type Outcome = 'met' | 'not met' | 'within the noise';

export interface Verdict {
  /**
   * Of the ratios run by run, or of the values themselves, as the row is judged. Where there are no ratios run by run it is
   * the ratio of the medians, without a spread; where these have none either, not a number.
   */
  readonly spread: Spread;
  /** Null: nothing was aimed at. */
  readonly limit: number | null;
  /** Whether the median is within the limit, as far as that can be told; null: there is none. */
  readonly outcome: Outcome | null;
}

/** Null: the target was not measured in this row, or it is what the others are compared with. */
export function verdictOf(row: Row, target: string): Verdict | null {
  if (row.by === 'ratio' && target === row.base) return null;
  const values = row.by === 'ratio' ? ratiosOf(row, target) : valuesOf(row.measures[target] ?? [], row.judged);
  if (values === null) return verdictOfMedians(row, target);
  if (values.length === 0) return null;
  const spread = spreadOf(values);
  const limit = row.limits[target] ?? null;
  return { spread, limit, outcome: limit === null ? null : outcomeOf(row, spread.median, limit) };
}

/** A figure that is written with two decimals is judged by those. */
function outcomeOf({ atLeast }: Row, median: number, limit: number): Outcome {
  const value = Math.round(median * 100) / 100;
  return (atLeast ? value >= limit : value <= limit) ? 'met' : 'not met';
}

/** For values that have no ratio run by run. */
function verdictOfMedians(row: Row, target: string): Verdict {
  const own = valuesOf(row.measures[target] ?? [], row.judged);
  const base = valuesOf(row.measures[row.base] ?? [], row.judged);
  const [value, other] = [spreadOf(own).median, spreadOf(base).median];
  const ratio = other > 0 && value >= 0 ? value / other : Number.NaN;
  const limit = row.limits[target] ?? null;
  const spread = { median: ratio, min: ratio, max: ratio };
  if (limit === null) return { spread, limit, outcome: null };
  return { spread, limit, outcome: Number.isNaN(ratio) ? 'within the noise' : outcomeOfHalves(row, own, base, limit) };
}

/** Sure only where the middle half of the runs, and not their median alone, lies on one side of the limit. */
function outcomeOfHalves({ atLeast }: Row, own: readonly number[], base: readonly number[], limit: number): Outcome {
  const value = middleHalf(own);
  const other = middleHalf(base);
  const isBelow = value.max <= limit * other.min;
  const isAbove = value.min >= limit * other.max;
  // Both: no run differs from another, and the limit is hit.
  if (atLeast ? isAbove : isBelow) return 'met';
  return (atLeast ? isBelow : isAbove) ? 'not met' : 'within the noise';
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
