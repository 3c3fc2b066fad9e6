/**
 * Which plots there are for a scenario, and what is in them. Pure.
 */
import { figures, type Row } from './measure.ts';
import type { Plot } from './plot.ts';
import { targetsOf, verdictOf } from './report_verdict.ts';

export interface NamedPlot {
  /** A file's name without its ending. */
  readonly name: string;
  readonly plot: Plot;
}

/** Their bars have the same colour in every plot. */
const first = ['limpet', 'limpet-node', 'haproxy'];

/** One plot for all rows that can share an axis. `targets`: all names of the whole report. */
export function plotsOf(scenario: string, rows: readonly Row[], targets: readonly string[]): NamedPlot[] {
  const axes = new Map<string, Row[]>();
  for (const row of rows) {
    const axis = row.by === 'ratio' ? `ratio of ${row.judged} to ${row.base}` : `${row.judged} per ${row.unit}`;
    const key = `${axis}${row.atLeast ? ', at least' : ''}`;
    axes.set(key, [...(axes.get(key) ?? []), row]);
  }
  const series = [...first, ...targets.filter(target => !first.includes(target))];
  return [...axes.values()].flatMap((same, index) => {
    const plot = plotOfRows(scenario, same, series);
    return plot === null ? [] : [{ name: index === 0 ? scenario : `${scenario}-${index + 1}`, plot }];
  });
}

function plotOfRows(scenario: string, rows: readonly Row[], series: readonly string[]): Plot | null {
  const groups = rows.flatMap(row => {
    const bars = targetsOf(row).flatMap(target => {
      const verdict = verdictOf(row, target);
      return verdict === null ? [] : [{ series: target, spread: verdict.spread, limit: verdict.limit }];
    });
    return bars.length === 0 ? [] : [{ title: row.title, bars }];
  });
  const [row] = rows;
  if (row === undefined || groups.length === 0) return null;
  const reference = row.by === 'ratio' ? { at: 1, label: `${row.base} = 1` } : null;
  return { title: scenario, axis: axisOf(row, rows), reference, series, groups };
}

function axisOf(row: Row, rows: readonly Row[]): string {
  const figure = figures[row.judged];
  const what = row.by === 'ratio' ? `${figure}, as a ratio to ${row.base}` : `${figure} (${row.unit})`;
  const mark = rows.some(({ limits }) => Object.keys(limits).length > 0) ? ' Red mark: the limit.' : '';
  return `${what}; median with the least and the greatest. ${row.atLeast ? 'More' : 'Less'} is better.${mark}`;
}
