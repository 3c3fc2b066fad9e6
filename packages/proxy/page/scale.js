// Axes: which numbers stand on them, and where values lie. Pure functions.

/**
 * Round numbers from 0 up to at least `highest`, about `wanted` of them.
 * @param {number} highest
 * @param {number} wanted
 * @returns {readonly number[]}
 */
export function linearTicks(highest, wanted) {
  const top = highest > 0 ? highest : 1;
  const raw = top / wanted;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map(factor => factor * power).find(size => size >= raw * 0.999) ?? 10 * power;
  const ticks = [];
  for (let index = 0; ; index += 1) {
    const value = Number((index * step).toPrecision(12));
    ticks.push(value);
    if (value >= top) return ticks;
  }
}

/**
 * Powers of ten that hold both between them.
 * @param {number} lowest above 0
 * @param {number} highest
 * @returns {readonly number[]}
 */
export function logTicks(lowest, highest) {
  const first = Math.floor(Math.log10(lowest) + 1e-9);
  const last = Math.max(first + 1, Math.ceil(Math.log10(highest) - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, index) => Number((10 ** (first + index)).toPrecision(12)));
}

/**
 * Where a value lies between the first and the last tick, 0 to 1.
 * @param {readonly number[]} ticks
 * @param {boolean} log
 * @returns {(value: number) => number}
 */
export function placeOn(ticks, log) {
  const low = ticks[0] ?? 0;
  const high = ticks.at(-1) ?? 1;
  if (!log) return value => clamp((value - low) / (high - low));
  const base = Math.log(low);
  const width = Math.log(high) - base;
  return value => (value <= low ? 0 : clamp((Math.log(value) - base) / width));
}

/** @param {number} part */
function clamp(part) {
  return Math.min(1, Math.max(0, part));
}

/**
 * Which values have no neighbour: a line through one point is nothing that could be seen.
 * @param {readonly (number | null)[]} values
 * @returns {readonly number[]}
 */
export function alone(values) {
  const isKnown = (/** @type {number} */ at) => (values[at] ?? null) !== null;
  return [...values.keys()].filter(at => isKnown(at) && !isKnown(at - 1) && !isKnown(at + 1));
}

/**
 * Full quarters, or fewer minutes, of the local clock between two moments: at most `most` of them.
 * @param {number} fromMs
 * @param {number} toMs
 * @param {number} most
 * @param {number} offsetMs of the local clock against UTC
 * @returns {readonly number[]}
 */
export function timeTicks(fromMs, toMs, most, offsetMs) {
  const minutes = [1, 2, 5, 10, 15, 20, 30, 60];
  const stepMs = (minutes.find(size => (toMs - fromMs) / (size * 60_000) <= most) ?? 60) * 60_000;
  const ticks = [];
  for (let at = Math.ceil((fromMs + offsetMs) / stepMs) * stepMs - offsetMs; at <= toMs; at += stepMs) ticks.push(at);
  return ticks;
}

/**
 * How long the axis of time is: the shortest of some round lengths that holds all samples, so that what has just begun is
 * not drawn as if it were an hour.
 * @param {number} fromMs of the oldest sample
 * @param {number} toMs of the newest one
 */
export function axisMs(fromMs, toMs) {
  const minutes = [5, 15, 30, 60].find(size => toMs - fromMs <= size * 60_000);
  return minutes === undefined ? toMs - fromMs : minutes * 60_000;
}

/**
 * The same series in the order of their names, `b2` before `b10`: a colour stays with its broker.
 * @template Values
 * @param {Readonly<Record<string, Values>>} series
 * @returns {Readonly<Record<string, Values>>}
 */
export function byName(series) {
  const { compare } = new Intl.Collator('en', { numeric: true });
  return Object.fromEntries(Object.entries(series).sort(([a], [b]) => compare(a, b)));
}

/**
 * The highest, the middle and the lowest of all series at each moment: what can be told of 200 brokers in one plot.
 * @param {Readonly<Record<string, readonly number[]>>} series
 * @returns {readonly { readonly name: string, readonly values: readonly number[] }[]}
 */
export function spread(series) {
  const all = Object.values(series);
  const length = Math.max(0, ...all.map(values => values.length));
  const sorted = Array.from({ length }, (_, at) => all.map(values => values[at] ?? 0).sort((a, b) => a - b));
  return [
    { name: 'highest', values: sorted.map(values => values.at(-1) ?? 0) },
    { name: 'median', values: sorted.map(values => values[Math.floor(values.length / 2)] ?? 0) },
    { name: 'lowest', values: sorted.map(values => values[0] ?? 0) },
  ];
}

/**
 * The series that have the most at the end, and the rest as one more: a plot of 200 lines tells nothing.
 * @param {Readonly<Record<string, readonly number[]>>} series
 * @param {number} most at least 2
 * @returns {readonly { readonly name: string, readonly values: readonly number[] }[]}
 */
export function largest(series, most) {
  const all = Object.entries(series).map(([name, values]) => ({ name, values }));
  if (all.length <= most) return all;
  const weight = (/** @type {{ values: readonly number[] }} */ { values }) => values.at(-1) ?? 0;
  // The order among those that are shown stays that of the configuration, so that bands do not change places.
  const top = new Set([...all].sort((a, b) => weight(b) - weight(a)).slice(0, most - 1));
  const rest = all.filter(one => !top.has(one));
  const length = Math.max(...rest.map(({ values }) => values.length));
  const values = Array.from({ length }, (_, at) => rest.reduce((sum, one) => sum + (one.values[at] ?? 0), 0));
  return [...all.filter(one => top.has(one)), { name: `${rest.length} others`, values }];
}
