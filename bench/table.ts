/**
 * The result as a plain table: a line for each row and target.
 */
import { spreadOf, spreadWritten, written } from './figures.ts';
import { figures, type Row, valuesOf } from './measure.ts';
import { comparisonsOf, targetsOf, verdictOf } from './report_verdict.ts';

const head = ['', 'target', 'median (least–greatest)', 'ratio', 'limit', ''];

export function tableOf(rows: readonly Row[]): string {
  return aligned([head, ...rows.flatMap(linesOf)]);
}

function linesOf(row: Row): string[][] {
  const title = `${row.title} (${figures[row.judged]} per ${row.unit})`;
  return targetsOf(row).flatMap((target, index) => {
    const measures = row.measures[target] ?? [];
    const judged = spreadWritten(spreadOf(valuesOf(measures, row.judged)));
    const others = row.shown.flatMap(figure => {
      const values = valuesOf(measures, figure);
      return values.length === 0 ? [] : `${figures[figure]} ${written(spreadOf(values).median)}`;
    });
    const [first, ...further] = comparisonsOf(row).map(comparison => comparisonCells(comparison, target));
    return [
      [index === 0 ? title : '', target, judged, ...(first ?? []), others.join(', ')],
      ...further.flatMap(cells => (cells[1] === '' ? [] : [['', '', '', ...cells, '']])),
    ];
  });
}

/** What the target is judged by, and the limit with what became of it. */
function comparisonCells(row: Row, target: string): [string, string] {
  const verdict = verdictOf(row, target);
  if (verdict === null) return ['', ''];
  const ratio = row.by === 'ratio' ? `${spreadWritten(verdict.spread)} × ${row.base}` : '';
  if (verdict.limit === null) return [ratio, ''];
  return [ratio, `${row.atLeast ? '≥' : '≤'} ${verdict.limit}: ${verdict.outcome}`];
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
