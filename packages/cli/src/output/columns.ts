import stringWidth from 'string-width';

export interface Column {
  readonly title: string;
  /** Numbers stand at the right. */
  readonly align?: 'left' | 'right';
}

const GAP = '  ';

/** Rows below their titles, each column as wide as its widest cell. Cells must be printable; colours are added by `paint`. */
export function columns(
  head: readonly Column[],
  rows: readonly (readonly string[])[],
  paint: (cell: string, row: number, column: number) => string = cell => cell,
): string[] {
  const widths = head.map(({ title }, at) => Math.max(title.length, ...rows.map(row => stringWidth(row[at] ?? ''))));
  const line = (cells: readonly string[], row: number): string =>
    cells
      .map((cell, at) => {
        const room = ' '.repeat(Math.max(0, (widths[at] ?? 0) - stringWidth(cell)));
        const shown = row === -1 ? cell : paint(cell, row, at);
        return head[at]?.align === 'right' ? room + shown : shown + room;
      })
      .join(GAP)
      .trimEnd();
  return [
    line(
      head.map(({ title }) => title),
      -1,
    ),
    ...rows.map(line),
  ];
}

/** As much of a text as has room; a text that was cut ends with `…`. */
export function clipped(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let shown = '';
  let used = 0;
  for (const sign of text) {
    used += stringWidth(sign);
    if (used > width - 1) break;
    shown += sign;
  }
  return width < 1 ? '' : `${shown}…`;
}

/** Exactly so wide. */
export function fitted(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const shown = clipped(text, width);
  const room = ' '.repeat(Math.max(0, width - stringWidth(shown)));
  return align === 'left' ? shown + room : room + shown;
}
