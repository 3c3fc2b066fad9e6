/**
 * HAProxy's statistics as CSV (management manual, 9.1), as scripts read them: by row and column.
 */
import { parse } from 'csv-parse/sync';

/** Column → cell. */
export type StatRow = Readonly<Record<string, string>>;

/** `pxname/svname` → its row, in the order of the text. */
export function readStats(csv: string): Map<string, StatRow> {
  // The comma at the end of each line makes a column without a name.
  const columns = (names: string[]): (string | false)[] => names.map(name => name || false);
  const rows = parse<StatRow>(csv.replace(/^# /, ''), { columns, skipEmptyLines: true });
  return new Map(rows.map(row => [`${row.pxname}/${row.svname}`, row]));
}
