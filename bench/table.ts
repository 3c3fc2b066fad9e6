/**
 * The result, as a plain table.
 */
import { cpus, release } from 'node:os';
import { spreadOf, spreadWritten, written } from './figures.ts';
import type { Measure } from './measure.ts';
import type { TargetName } from './target.ts';

/** All measures of one row, in the order of the runs. */
export interface Row {
  readonly title: string;
  readonly unit: string;
  readonly measures: Readonly<Record<TargetName, readonly Measure[]>>;
}

/** One line for the machine; the versions of the proxies follow it. */
export function machine(): string {
  const all = cpus();
  return `${all.length} × ${all[0]?.model.trim() ?? 'unknown CPU'}, Linux ${release()}, Node ${process.version}`;
}

/** CPU per unit of work of each target, and the ratio of every other one to the first, run by run. */
export function tableOf(rows: readonly Row[], targets: readonly TargetName[]): string {
  const [base, ...others] = targets;
  const ratios = base === undefined ? [] : others.map(other => `${other} / ${base}`);
  const head = ['', 'CPU µs per', ...targets, ...ratios, ...targets.map(name => `${name}, per s`)];
  const body = rows.map(row => {
    const cost = targets.map(name => spreadWritten(spreadOf(row.measures[name].map(measure => measure.cpuUsPerUnit))));
    const rate = targets.map(name => written(spreadOf(row.measures[name].map(measure => measure.unitsPerS)).median));
    const ratio = base === undefined ? [] : others.map(name => ratioOf(row.measures[name], row.measures[base]));
    return [row.title, row.unit, ...cost, ...ratio, ...rate];
  });
  return aligned([head, ...body]);
}

/** The runs are interleaved, so that a ratio is taken of two that stood side by side. */
function ratioOf(measures: readonly Measure[], base: readonly Measure[]): string {
  const pairs = measures.map((measure, run) => measure.cpuUsPerUnit / (base[run]?.cpuUsPerUnit ?? Number.NaN));
  return spreadWritten(spreadOf(pairs));
}

function aligned(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map(line => line[column]?.length ?? 0)));
  return lines
    .map(line =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('   ')
        .trimEnd(),
    )
    .join('\n');
}
