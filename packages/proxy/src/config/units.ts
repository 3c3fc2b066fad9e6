/** What reading one value gives: the value, or what is wrong and what would be right. Neither quotes the value itself. */
export type Reading<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly message: string; readonly remedy: string };

const DURATION_UNITS = new Map([
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

/** `k` is 1024, as in HAProxy (configuration.txt 2.5); `KiB` says the same without a doubt. */
const SIZE_UNITS = new Map([
  ['b', 1],
  ['k', 1024],
  ['m', 1024 ** 2],
  ['g', 1024 ** 3],
  ['kib', 1024],
  ['mib', 1024 ** 2],
  ['gib', 1024 ** 3],
]);

const DURATION_REMEDY = 'Write a whole number and a unit: 250ms, 10s, 30m, 1h or 1d; a bare number is milliseconds.';
const SIZE_REMEDY = 'Write a whole number of bytes, or one with a unit: 100k, 16KiB or 64MiB; k is 1024.';
const COUNT_REMEDY = 'Write a whole number, or one with k or m: 5000, 100k or 1m; k is 1024.';
const DECIMAL_SIZES = new Set(['kb', 'mb', 'gb']);

function fail(message: string, remedy: string): Reading<never> {
  return { ok: false, message, remedy };
}

/** Splits `10s` into 10 and `s`; null where it is no whole number with at most letters behind it. */
function numberAndUnit(input: string | number | boolean): { number: number; unit: string } | null {
  const found = /^(\d{1,15})([A-Za-z]*)$/.exec(String(input).trim());
  if (found === null) return null;
  return { number: Number(found[1]), unit: found[2] ?? '' };
}

function scaled(number: number, factor: number, remedy: string): Reading<number> {
  const value = number * factor;
  return Number.isSafeInteger(value) ? { ok: true, value } : fail('{value} is too large', remedy);
}

/** A duration in milliseconds: `250ms`, `10s`, `30m`, `1h`, `1d`; a bare number is milliseconds, as in HAProxy. */
export function readDuration(input: string | number | boolean): Reading<number> {
  const parts = numberAndUnit(input);
  if (parts === null) return fail('{value} is not a duration', DURATION_REMEDY);
  const factor = parts.unit === '' ? 1 : DURATION_UNITS.get(parts.unit);
  if (factor === undefined) return fail('{value} has a unit that no duration has', DURATION_REMEDY);
  return scaled(parts.number, factor, DURATION_REMEDY);
}

/** A size in bytes: `100k`, `16KiB`, `64MiB`; a bare number is bytes. */
export function readSize(input: string | number | boolean): Reading<number> {
  const parts = numberAndUnit(input);
  if (parts === null) return fail('{value} is not a size', SIZE_REMEDY);
  const unit = parts.unit.toLowerCase();
  if (DECIMAL_SIZES.has(unit)) return fail('{value} could mean 1000 or 1024', SIZE_REMEDY);
  const factor = unit === '' ? 1 : SIZE_UNITS.get(unit);
  if (factor === undefined) return fail('{value} has a unit that no size has', SIZE_REMEDY);
  return scaled(parts.number, factor, SIZE_REMEDY);
}

/** A number of things: `5000`, `100k`, `1m`; k is 1024, as HAProxy counts the entries of a stick table. */
export function readCount(input: string | number | boolean): Reading<number> {
  const parts = numberAndUnit(input);
  if (parts === null) return fail('{value} is not a number', COUNT_REMEDY);
  const unit = parts.unit.toLowerCase();
  const factor = unit === '' ? 1 : unit.length === 1 && unit !== 'b' ? SIZE_UNITS.get(unit) : undefined;
  if (factor === undefined) return fail('{value} has a unit that no number has', COUNT_REMEDY);
  return scaled(parts.number, factor, COUNT_REMEDY);
}

const RATE_REMEDY = 'Write a whole number and a time: 500/s, 30000/m or 100/h.';
const RATE_SECONDS = new Map([
  ['s', 1],
  ['m', 60],
  ['h', 3_600],
]);
const MAX_RATE = 10_000_000;

/** A number of things a second, whole or not: `500/s`, `30000/m`, `100/h`. Above 0. */
export function readRate(input: string | number | boolean): Reading<number> {
  const [, number, unit = ''] = /^(\d{1,12})\/([a-z]+)$/.exec(String(input).trim()) ?? [];
  const seconds = RATE_SECONDS.get(unit);
  if (number === undefined || seconds === undefined) return fail('{value} is not a rate', RATE_REMEDY);
  const rate = Number(number) / seconds;
  if (rate > 0 && rate <= MAX_RATE) return { ok: true, value: rate };
  return fail(`{value} is too ${rate > 0 ? 'large' : 'small'}`, `Write 1/h to ${MAX_RATE}/s.`);
}

function writeIn(value: number, units: ReadonlyArray<readonly [string, number]>): string {
  for (const [unit, factor] of units) if (value >= factor && value % factor === 0) return `${value / factor}${unit}`;
  return String(value);
}

/** Writes milliseconds the way they are configured: 90000 is `90s`, 1800000 is `30m`. */
export function writeDuration(ms: number): string {
  return ms === 0 ? '0' : writeIn(ms, [...DURATION_UNITS].reverse());
}

/** Writes bytes the way they are configured: 524288 is `512KiB`. */
export function writeSize(bytes: number): string {
  return writeIn(bytes, [
    ['GiB', 1024 ** 3],
    ['MiB', 1024 ** 2],
    ['KiB', 1024],
  ]);
}
