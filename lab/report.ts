/**
 * The result, as Markdown.
 */
import { spreadOf } from '../bench/figures.ts';
import type { CrowdResult } from './crowd.ts';
import { type FaultName, faults } from './faults.ts';
import type { MoverKind, Timing } from './mover.ts';
import type { Trial } from './trial.ts';

/** All trials of one way to move the address. */
export interface Series {
  readonly by: MoverKind;
  readonly timing: Timing;
  readonly trials: readonly Trial[];
}

export interface Results {
  /** The machine, and the versions of the programs: a line each. */
  readonly about: readonly string[];
  readonly faults: readonly FaultName[];
  readonly runs: number;
  readonly series: readonly Series[];
  readonly crowds: readonly { readonly by: MoverKind; readonly result: CrowdResult }[];
}

/** No worse than that, in milliseconds, at `fast`. */
const aimsMs: Readonly<Partial<Record<FaultName, number>>> = {
  'proxy-killed': 35,
  'proxy-frozen': 90,
  'link-down': 80,
  'clean-stop': 26,
};
const defaultAimMs = 700;
const nobody = 'not survived';

export function reportOf(results: Results): string {
  const parts = ['# What the failure laboratory measured', list(results.about)];
  if (results.series.some(({ trials }) => trials.length > 0)) {
    parts.push(
      `## Longest time without a CONNACK

One new connection each 5 ms; ${results.runs} runs of each fault; median / worst, in milliseconds. The aim is for \`fast\`;
the defaults aim at less than ${defaultAimMs} ms. Without any fault the longest time in a second was
${figures(allTrials(results).map(trial => trial.quietMs))}.`,
      gapTable(results),
      `## When the fault is put right

Longest time without a CONNACK from then on until both proxies were ready and one held the address; median / worst, in
milliseconds.`,
      table(results, trial => trial.backGapMs),
      `## Two holders

How long both hosts held the address; median / worst, in milliseconds. In brackets: while the old one was cut off from
everybody, so that nobody could be misled.`,
      overlapTable(results),
    );
  }
  for (const { by, result } of results.crowds) parts.push(crowdPart(by, result));
  parts.push('## How to run it\n\n`pnpm lab` (see README.md in this folder). This file is written by it.');
  return `${parts.join('\n\n')}\n`;
}

function gapTable(results: Results): string {
  const rows = results.faults.map(fault => [
    faults[fault].title,
    aimsMs[fault] === undefined ? '' : String(aimsMs[fault]),
    ...results.series.map(series => figures(trialsOf(series, fault).map(trial => trial.gapMs))),
  ]);
  return markdown([['Fault', 'Aim', ...heads(results)], ...rows]);
}

function overlapTable(results: Results): string {
  const cells = (series: Series, fault: FaultName): string => {
    const trials = trialsOf(series, fault);
    const reachable = figures(trials.map(trial => trial.overlapMs));
    if (!faults[fault].cutsOff) return reachable;
    return `${reachable} (${figures(trials.map(trial => trial.cutOffOverlapMs))})`;
  };
  const rows = results.faults.map(fault => [
    faults[fault].title,
    ...results.series.map(series => cells(series, fault)),
  ]);
  return markdown([['Fault', ...heads(results)], ...rows]);
}

function table(results: Results, of: (trial: Trial) => number): string {
  const rows = results.faults.map(fault => [
    faults[fault].title,
    ...results.series.map(series => figures(trialsOf(series, fault).map(of))),
  ]);
  return markdown([['Fault', ...heads(results)], ...rows]);
}

function crowdPart(by: MoverKind, crowd: CrowdResult): string {
  const failed = Object.entries(crowd.failed).map(([why, count]) => `${count} × ${why}`);
  return [
    `## ${crowd.clients} persistent sessions lose their proxy (${by}, fast)`,
    list([
      `told at once by a closed connection: ${crowd.toldAtOnce}; the others found out at their next ping (20 s)`,
      `back: ${crowd.back} of ${crowd.clients}, ${crowd.atFirstAttempt} of them at their first attempt`,
      `with their session at the broker: ${crowd.sessionPresent}; at the same broker by its own log: ${crowd.sameBroker}`,
      `all back ${seconds(crowd.allBackMs)} after the kill; each waits 1 to 5 s before it comes back`,
      `longest wait for a CONNACK: ${seconds(crowd.longestWaitMs)}`,
      `most CONNECTs at the brokers in any second: ${crowd.mostInASecond} (\`connect_rate\`: ${crowd.connectRate})`,
      `failed attempts: ${failed.join(', ') || 'none'}`,
    ]),
  ].join('\n\n');
}

function allTrials(results: Results): Trial[] {
  return results.series.flatMap(({ trials }) => trials);
}

function trialsOf(series: Series, fault: FaultName): Trial[] {
  return series.trials.filter(trial => trial.fault === fault);
}

function heads(results: Results): string[] {
  return results.series.map(({ by, timing }) => `${by}, ${timing}`);
}

/** `median / worst`; a null is a fault that was not survived. */
function figures(values: readonly (number | null)[]): string {
  const known = values.filter(value => value !== null);
  if (known.length < values.length) return `${values.length - known.length} × ${nobody}`;
  if (known.length === 0) return '';
  const { median, max } = spreadOf(known);
  return `${Math.round(median)} / ${Math.round(max)}`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function list(lines: readonly string[]): string {
  return lines.map(line => `- ${line}`).join('\n');
}

/** Columns as wide as their widest cell, for this is read as it stands too. */
function markdown(rows: readonly (readonly string[])[]): string {
  const [head = []] = rows;
  const widths = head.map((_, column) => Math.max(3, ...rows.map(cells => (cells[column] ?? '').length)));
  const line = (cells: readonly string[]): string => {
    const padded = widths.map((width, column) =>
      column === 0 ? (cells[column] ?? '').padEnd(width) : (cells[column] ?? '').padStart(width),
    );
    return `| ${padded.join(' | ')} |`;
  };
  const rule = widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [head, rule, ...rows.slice(1)].map(line).join('\n');
}
