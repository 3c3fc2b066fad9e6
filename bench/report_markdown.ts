/**
 * A table in Markdown that can be read as it stands.
 */

/** Columns as wide as their widest cell; the first `left` of them begin at the left, figures end at the right. */
export function markdownTable(rows: readonly (readonly string[])[], left: number): string {
  const [head = [], ...body] = rows.map(row => row.map(escaped));
  const used = head.map((_, column) => column < left || body.some(cells => (cells[column] ?? '') !== ''));
  const shown = [head, ...body].map(cells => cells.filter((_, column) => used[column]));
  const widths = (shown[0] ?? []).map((_, column) => Math.max(3, ...shown.map(cells => (cells[column] ?? '').length)));
  const line = (cells: readonly string[]): string => {
    const padded = widths.map((width, column) =>
      column < left ? (cells[column] ?? '').padEnd(width) : (cells[column] ?? '').padStart(width),
    );
    return `| ${padded.join(' | ')} |`;
  };
  const rule = widths.map((width, column) => (column < left ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [shown[0] ?? [], rule, ...shown.slice(1)].map(line).join('\n');
}

function escaped(cell: string): string {
  return cell.replaceAll('|', '\\|');
}
