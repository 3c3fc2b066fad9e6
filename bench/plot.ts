/**
 * Bars with their spread, as an SVG that needs no script and follows the reader's light or dark scheme. Pure.
 */
import { type Spread, written } from './figures.ts';

export interface Plot {
  readonly title: string;
  /** What is drawn along the axis, and which way is better. */
  readonly axis: string;
  /** A value that the others are seen against, e.g. HAProxy = 1. */
  readonly reference: { readonly at: number; readonly label: string } | null;
  /** All names of bars, in the order of their colours. At most `colours`. */
  readonly series: readonly string[];
  readonly groups: readonly BarGroup[];
}

/** The bars of one row of the table. */
export interface BarGroup {
  readonly title: string;
  readonly bars: readonly Bar[];
}

export interface Bar {
  readonly series: string;
  readonly spread: Spread;
  /** Drawn as a mark over the bar. */
  readonly limit: number | null;
}

const width = 780;
const margin = 16;
const nameWidth = 150;
const valueWidth = 170;
const barHeight = 14;
const barPitch = 22;
const groupTitleHeight = 24;
const groupGap = 10;
const headHeight = 56;
const axisHeight = 44;
const axisLeft = margin + nameWidth;
const axisWidth = width - axisLeft - valueWidth - margin;
const colours = 8;

export function plotOf(plot: Plot): string {
  const scale = scaleOf(plot);
  const parts: string[] = [];
  let y = headHeight;
  for (const group of plot.groups) {
    parts.push(words(margin, y + 16, 'group', group.title));
    y += groupTitleHeight;
    for (const bar of group.bars) {
      parts.push(barOf(plot, bar, y, scale));
      y += barPitch;
    }
    y += groupGap;
  }
  const height = y + axisHeight;
  const frame = `<rect class="ground" width="${width}" height="${height}" rx="6"/>`;
  const heads = [words(margin, 26, 'title', plot.title), words(margin, 46, 'small', plot.axis)];
  const open = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(plot.title)}">`;
  return `${[open, style, frame, ...heads, axisOf(plot, scale, y), ...parts, '</svg>'].join('\n')}\n`;
}

interface Scale {
  /** From one line of the grid to the next. */
  readonly step: number;
  /** So many of them from 0 to the right end. */
  readonly steps: number;
}

/** From 0 to a round number that leaves no bar, mark or reference outside. Pure; exported for its test. */
export function scaleOf({ groups, reference }: Pick<Plot, 'groups' | 'reference'>): Scale {
  const bars = groups.flatMap(group => group.bars);
  const values = bars.flatMap(({ spread, limit }) => [spread.max, limit ?? 0]);
  const greatest = Math.max(reference?.at ?? 0, ...values.filter(Number.isFinite));
  if (greatest <= 0) return { step: 0.25, steps: 4 };
  const rough = greatest / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 2.5, 5].find(factor => factor * power >= rough) ?? 10);
  return { step, steps: Math.ceil((greatest * 1.02) / step) };
}

function barOf(plot: Plot, { series, spread, limit }: Bar, y: number, scale: Scale): string {
  const x = (value: number): string => at(value, scale);
  const middle = y + barHeight / 2;
  const colour = Math.max(0, plot.series.indexOf(series)) % colours;
  const name = words(axisLeft - 10, middle + 4, 'name', series);
  const rest = words(width - margin - valueWidth + 12, middle + 4, 'value', spreadShort(spread));
  if (!Number.isFinite(spread.median)) return [name, rest].join('\n');
  const body = `<rect class="c${colour}" x="${axisLeft}" y="${y}" width="${short(Number(x(spread.median)) - axisLeft)}" height="${barHeight}" rx="2"/>`;
  const spreadMark = `<path class="spread" d="M${x(spread.min)} ${middle}H${x(spread.max)}M${x(spread.min)} ${middle - 4}v8M${x(spread.max)} ${middle - 4}v8"/>`;
  const limitMark = limit === null ? [] : [`<path class="limit" d="M${x(limit)} ${y - 3}v${barHeight + 6}"/>`];
  return [name, body, spreadMark, ...limitMark, rest].join('\n');
}

function axisOf({ reference }: Plot, scale: Scale, bottom: number): string {
  const lines: string[] = [];
  for (let index = 0; index <= scale.steps; index += 1) {
    const value = index * scale.step;
    lines.push(`<path class="grid" d="M${at(value, scale)} ${headHeight}V${bottom}"/>`);
    lines.push(words(Number(at(value, scale)), bottom + 16, 'tick', rounded(value)));
  }
  if (reference !== null) {
    lines.push(`<path class="reference" d="M${at(reference.at, scale)} ${headHeight}V${bottom}"/>`);
    lines.push(words(Number(at(reference.at, scale)), bottom + 34, 'tick strong', reference.label));
  }
  return lines.join('\n');
}

function at(value: number, { step, steps }: Scale): string {
  return short(axisLeft + (value / step / steps) * axisWidth);
}

function words(x: number, y: number, kind: string, text: string): string {
  return `<text class="${kind}" x="${short(x)}" y="${short(y)}">${escaped(text)}</text>`;
}

/** `1.2M`, `250k`, `0.75`: what a tick says. */
function rounded(value: number): string {
  if (value >= 1_000_000) return `${short(value / 1_000_000)}M`;
  if (value >= 10_000) return `${short(value / 1000)}k`;
  return short(value);
}

/** As `spreadWritten`, but in so few characters that it has its place beside the bars. */
function spreadShort({ median, min, max }: Spread): string {
  const few = (value: number): string => {
    if (value >= 1_000_000) return `${written(value / 1_000_000)}M`;
    return value >= 10_000 ? `${written(value / 1000)}k` : written(value);
  };
  return min === max || !Number.isFinite(median) ? few(median) : `${few(median)} (${few(min)}–${few(max)})`;
}

function short(value: number): string {
  return String(Math.round(value * 100) / 100);
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

const style = `<style>
svg { --ground: #ffffff; --ink: #1f2933; --faint: #6b7785; --grid: #e3e7ec; --limit: #b42318;
  --c0: #0f8b7f; --c1: #c98a1b; --c2: #7a8797; --c3: #4f93c8; --c4: #a64d9a; --c5: #7f9a2e; --c6: #c4593f; --c7: #5b6fd6; }
@media (prefers-color-scheme: dark) { svg { --ground: #14191f; --ink: #e6eaef; --faint: #97a3b0; --grid: #2a323b; --limit: #ff8a7a;
  --c0: #2fb8a9; --c1: #e0ab4b; --c2: #8b98a8; --c3: #6fb1e4; --c4: #d184c6; --c5: #a5c251; --c6: #e58a72; --c7: #8c9cf0; } }
text { font: 13px system-ui, sans-serif; fill: var(--ink); }
.title { font-size: 16px; font-weight: 600; }
.group { font-weight: 600; paint-order: stroke; stroke: var(--ground); stroke-width: 4px; }
.small, .tick { fill: var(--faint); font-size: 12px; }
.tick { text-anchor: middle; }
.strong { fill: var(--ink); }
.name { text-anchor: end; }
.value { font-variant-numeric: tabular-nums; }
.ground { fill: var(--ground); }
.grid { stroke: var(--grid); }
.reference { stroke: var(--ink); stroke-dasharray: 4 3; }
.spread { stroke: var(--ink); fill: none; }
.limit { stroke: var(--limit); stroke-width: 3; }
${Array.from({ length: colours }, (_, index) => `.c${index} { fill: var(--c${index}); }`).join('\n')}
</style>`;
