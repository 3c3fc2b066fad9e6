// How numbers, times and strange texts are written. Pure functions.

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const shortClock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });

/** Control, format and bidi characters, lone surrogates, unassigned ones, and every space but the plain one. */
const strange = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}|\\/gu;

/**
 * A text of a client or of anybody else, such that all of it is seen and none of it acts: what has no visible form is
 * written `\u{202e}`, and a backslash is doubled.
 * @param {string} text
 */
export function visible(text) {
  return text.replace(strange, found => {
    if (found === '\\') return '\\\\';
    return `\\u{${(found.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}}`;
  });
}

/**
 * The same for a text of Limpet's own, of which each line stays one. Never for a text of a client: it could look like two.
 * @param {string} text
 */
export function visibleLines(text) {
  return text.split('\n').map(visible).join('\n');
}

/** `12,345`. @param {number} value */
export function count(value) {
  return grouped.format(value);
}

/** A sum since the start: `12,345,678`, then `123.4M`. @param {number} value */
export function sum(value) {
  return value < 1e8 ? count(value) : `${grouped.format(Math.floor(value / 1e6))}.${Math.floor((value % 1e6) / 1e5)}M`;
}

/** A limit; none is a dash. @param {number | null} value */
export function limit(value) {
  return value === null ? '–' : count(value);
}

/** A rate of the plots: `0.4`, `12`, `1,204`. @param {number} value */
export function rate(value) {
  return value > 0 && value < 10 ? String(Number(value.toFixed(1))) : count(value);
}

/**
 * A tick below 1 with the digits that tell it from its neighbours.
 * @param {number} value
 * @param {number} step between two ticks
 */
export function fraction(value, step) {
  return value === 0 ? '0' : value.toFixed(Math.max(0, Math.ceil(-Math.log10(step) - 1e-9)));
}

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** `1.2 GB`, in powers of 1000. @param {number} value */
export function bytes(value) {
  let power = 0;
  let rest = value;
  // 999.95 would be written as 1000.
  while (rest >= 999.5 && power < units.length - 1) {
    rest /= 1000;
    power += 1;
  }
  const digits = power === 0 || rest >= 99.95 ? 0 : 1;
  return `${rest.toFixed(digits)} ${units[power]}`;
}

/** `0.4 ms`, `12 ms`, `1.5 s`; null is a dash. @param {number | null} value */
export function latency(value) {
  if (value === null) return '–';
  if (value >= 999.5) return `${Number((value / 1000).toFixed(1))} s`;
  return `${value < 9.95 ? Number(value.toFixed(1)) : Math.round(value)} ms`;
}

/** The two largest parts: `3 d 4 h`, `12 min 5 s`, `8 s`. @param {number} ms */
export function duration(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return pair(Math.floor(s / 60), 'min', s % 60, 's');
  if (s < 86_400) return pair(Math.floor(s / 3600), 'h', Math.floor((s % 3600) / 60), 'min');
  return pair(Math.floor(s / 86_400), 'd', Math.floor((s % 86_400) / 3600), 'h');
}

/**
 * @param {number} more
 * @param {string} unit
 * @param {number} less
 * @param {string} smaller
 */
function pair(more, unit, less, smaller) {
  return less === 0 ? `${more} ${unit}` : `${more} ${unit} ${less} ${smaller}`;
}

/** `38 %`, and one digit more below ten. @param {number} part 0 to 1 */
export function percent(part) {
  const value = part * 100;
  return `${value > 0 && value < 9.95 ? Number(value.toFixed(1)) : Math.round(value)} %`;
}

/** `14:03:22`. @param {number} atMs */
export function time(atMs) {
  return clock.format(atMs);
}

/** `14:03`. @param {number} atMs */
export function minute(atMs) {
  return shortClock.format(atMs);
}

/** `14:03:22` of today, `3 Jul 14:03:22` of another day. @param {number} atMs @param {number} nowMs */
export function moment(atMs, nowMs) {
  return day.format(atMs) === day.format(nowMs) ? time(atMs) : `${day.format(atMs)} ${time(atMs)}`;
}

/** `1 session`, `2,000 sessions`. @param {number} value @param {string} thing */
export function many(value, thing) {
  return `${count(value)} ${thing}${value === 1 ? '' : 's'}`;
}
