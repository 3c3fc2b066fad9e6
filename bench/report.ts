/**
 * The report, as Markdown with plots beside it. Pure.
 */
import { spreadOf, spreadWritten } from './figures.ts';
import { type Figure, figures, type Results, type Row, valuesOf } from './measure.ts';
import { plotOf } from './plot.ts';
import { markdownTable } from './report_markdown.ts';
import { byNode } from './report_nodes.ts';
import { type NamedPlot, plotsOf } from './report_plots.ts';
import { comparisonsOf, lossesOf, type Outcome, targetsOf, verdictOf } from './report_verdict.ts';

/** A file of the report: its path below the report's folder, and its content. */
export interface ReportFile {
  readonly path: string;
  readonly content: string;
}

const intro = `CPU is what the scheduler accounts to the proxy's whole process tree (\`/proc/PID/task/*/schedstat\`), user and
system, divided by the work done. Targets take turns (A B A B), so a ratio is taken of two runs that stood side by side.
A cell is the median, and in brackets the least and the greatest of all runs. A limit is judged by the median.
A difference that came out at zero or below in some run has no ratio run by run: there it is that of the medians, without
brackets, or \`-\`, and where the middle half of the runs lies on both sides of the limit, it is within the noise.
Targets are the programs that were measured: \`limpet\` with its native relay, \`limpet-node\` with the one in TypeScript, \`haproxy\`,
\`haproxy-64k\` (\`tune.bufsize 65536\`), \`nginx\` (module stream). A ratio of 1.40 is 40 % more than HAProxy needs, one of 0.45 less
than half. Why, and what was tried, stands at the end.
This file is written by \`npm run bench -- --report\`, and of the results of several runs by \`npm run bench:report -- FILE…\`.`;

/**
 * `order`: the names of scenarios, as they are to follow each other; others come last. `profile`: hand-written Markdown about
 * where the time goes; null: there is none.
 */
export function reportOf(results: readonly Results[], order: readonly string[], profile: string | null): ReportFile[] {
  const [main = { results: [] }, ...others] = byNode(results);
  const rows = mergedRows(main.results);
  const scenarios = inOrder(rows, order);
  const targets = [...new Set(rows.flatMap(targetsOf))];
  const plots: NamedPlot[] = [];
  const parts = [
    '# What the benchmark measured',
    intro,
    `## Machine and versions\n\n${aboutPart(main.results)}`,
    aimsPart(scenarios.flatMap(([, own]) => own)),
    lossPart(rows),
  ];
  for (const [scenario, own] of scenarios) {
    const ownPlots = plotsOf(scenario, own, targets);
    plots.push(...ownPlots);
    parts.push(scenarioPart(scenario, own, ownPlots));
  }
  parts.push(...others.map(other => nodePart(other.node, other.results, order)));
  if (profile !== null) parts.push(`## Where the time goes\n\n${profile.trim()}`);
  const text = `${parts.filter(part => part !== '').join('\n\n')}\n`;
  return [
    { path: 'report.md', content: text },
    ...plots.map(({ name, plot }) => ({ path: `plots/${name}.svg`, content: plotOf(plot) })),
  ];
}

/** A row that was measured again replaces the older one, in its place. */
export function mergedRows(results: readonly Results[]): Row[] {
  const inOrder = [...results].sort((a, b) => a.at.localeCompare(b.at));
  const rows = new Map<string, Row>();
  for (const row of inOrder.flatMap(result => result.rows)) rows.set(`${row.scenario}\n${row.title}`, row);
  return [...rows.values()];
}

/** The rows of each scenario. */
function inOrder(
  rows: readonly Row[],
  order: readonly string[],
): (readonly [scenario: string, rows: readonly Row[]])[] {
  const measured = [...new Set(rows.map(row => row.scenario))];
  const names = [...order.filter(name => measured.includes(name)), ...measured.filter(name => !order.includes(name))];
  return names.map(name => [name, rows.filter(row => row.scenario === name)]);
}

/** What the same scenarios gave on another Node: the figures only, for what they mean has been said. */
function nodePart(node: string, results: readonly Results[], order: readonly string[]): string {
  const rows = mergedRows(results);
  const tables = inOrder(rows, order).map(([, own]) => tableOfRows(own));
  const lost = rows.flatMap(lossesOf);
  return [`## On ${node}`, aboutPart(results), ...(lost.length === 0 ? [] : [list(lost)]), ...tables].join('\n\n');
}

/** What is the same for all results is said once. */
function aboutPart(results: readonly Results[]): string {
  const common = (results[0]?.about ?? []).filter(line => results.every(({ about }) => about.includes(line)));
  const parts = results.map(result => {
    const scenarios = [...new Set(result.rows.map(row => row.scenario))].join(', ');
    const runs = result.runs === 1 ? '1 run' : `${result.runs} runs`;
    const terms = `${runs} of ${result.seconds} s, ${result.workers} workers or threads`;
    const own = result.about.filter(line => !common.includes(line)).map(line => `  - ${line}`);
    return [`- ${result.at.slice(0, 16).replace('T', ' ')} UTC, ${terms}: ${scenarios}`, ...own].join('\n');
  });
  return [list(common), ...parts].filter(part => part !== '').join('\n');
}

function aimsPart(rows: readonly Row[]): string {
  const outcomes: Outcome[] = [];
  const lines = rows.flatMap(comparisonsOf).flatMap(row =>
    targetsOf(row).flatMap(target => {
      const verdict = verdictOf(row, target);
      if (verdict === null || verdict.limit === null || verdict.outcome === null) return [];
      outcomes.push(verdict.outcome);
      const what = row.by === 'ratio' ? `${figures[row.judged]}, ratio to ${row.base}` : figures[row.judged];
      return [
        [
          row.title,
          target,
          what,
          limitWritten(row, verdict.limit),
          spreadWritten(verdict.spread),
          outcomeWritten(verdict.outcome),
        ],
      ];
    }),
  );
  if (lines.length === 0) return '';
  const table = markdownTable([['', 'Target', 'Figure', 'Limit', 'Measured', ''], ...lines], 3);
  return `## What was aimed at\n\n${summaryOf(outcomes)}\n\n${table}`;
}

/** What is within the noise is not met. */
function summaryOf(outcomes: readonly Outcome[]): string {
  const count = (wanted: Outcome): number => outcomes.filter(outcome => outcome === wanted).length;
  const noise = count('within the noise');
  const unsure = noise === 0 ? '' : `, ${noise} ${noise === 1 ? 'is' : 'are'} within the noise`;
  return `${count('met')} of ${outcomes.length} are met${unsure}.`;
}

function lossPart(rows: readonly Row[]): string {
  const lost = rows.flatMap(lossesOf);
  return lost.length === 0 ? '' : `## Lost\n\nFigures of runs that lost something mean little.\n\n${list(lost)}`;
}

function scenarioPart(scenario: string, rows: readonly Row[], plots: readonly NamedPlot[]): string {
  const images = plots.map(({ name, plot }) => `![${plot.title}: ${plot.axis}](plots/${name}.svg)`);
  const meanings = rows.map(row => `_${row.title}_: ${[row.meaning, ...row.notes.map(sentence)].join(' ')}`);
  return [`## ${scenario}`, ...images, tableOfRows(rows), list(meanings)].join('\n\n');
}

/** One line for each target of each row; a column for each figure that any of the rows shows. */
function tableOfRows(rows: readonly Row[]): string {
  const columns = [...new Set(rows.flatMap(row => [row.judged, ...row.shown]))];
  const heads = columns.map(column => figures[column]);
  const lines = rows.flatMap(row => {
    const targets = targetsOf(row);
    return targets.map((target, index) => {
      const cells = columns.map(column => figureCell(row, target, column));
      return [index === 0 ? `${row.title} (per ${row.unit})` : '', target, ...cells, ...judgement(row, target)];
    });
  });
  return markdownTable([['', 'Target', ...heads, 'Ratio', 'Limit', ''], ...lines], 2);
}

function figureCell(row: Row, target: string, figure: Figure): string {
  if (figure !== row.judged && !row.shown.includes(figure)) return '';
  const values = valuesOf(row.measures[target] ?? [], figure);
  return values.length === 0 ? '' : spreadWritten(spreadOf(values));
}

/** Ratio, limit, and whether it is met. */
function judgement(row: Row, target: string): string[] {
  const verdict = verdictOf(row, target);
  if (verdict === null) return ['', '', ''];
  const ratio = row.by === 'ratio' ? spreadWritten(verdict.spread) : '';
  if (verdict.limit === null || verdict.outcome === null) return [ratio, '', ''];
  return [ratio, limitWritten(row, verdict.limit), outcomeWritten(verdict.outcome)];
}

function outcomeWritten(outcome: Outcome): string {
  return outcome === 'not met' ? '**not met**' : outcome;
}

function limitWritten({ atLeast }: Row, limit: number): string {
  return `${atLeast ? '≥' : '≤'} ${limit}`;
}

function list(lines: readonly string[]): string {
  return lines.map(line => `- ${line}`).join('\n');
}

function sentence(note: string): string {
  return /[.!?]$/.test(note) ? note : `${note}.`;
}
