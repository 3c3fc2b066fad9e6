/**
 * What is said about a handful of measured values.
 */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Median, least and greatest of at least one value. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  return { median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2, min: at(0), max: at(sorted.length - 1) };
}

/** Between a quarter and three quarters of the values in order, in a straight line between two of them. */
export function middleHalf(values: readonly number[]): Pick<Spread, 'min' | 'max'> {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => {
    const place = (sorted.length - 1) * share;
    const below = sorted[Math.floor(place)] ?? Number.NaN;
    return below + ((sorted[Math.ceil(place)] ?? Number.NaN) - below) * (place % 1);
  };
  return { min: at(0.25), max: at(0.75) };
}

/** Three digits that count: `0.12`, `12.3`, `4567`, `45,678`. */
export function written(value: number): string {
  if (!Number.isFinite(value)) return '-';
  if (Math.abs(value) >= 10_000) return Math.round(value).toLocaleString('en-US');
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}

/** `12.3 (11.9–13.0)`; what never varies has no brackets, and what is no number is `-`. */
export function spreadWritten(spread: Spread): string {
  if (spread.min === spread.max || !Number.isFinite(spread.median)) return written(spread.median);
  return `${written(spread.median)} (${written(spread.min)}–${written(spread.max)})`;
}
