/**
 * What is measured, in plain values: the command's table, `--json` and the report are views of it.
 */

/** What a run can tell, and how it is written. */
export const figures = {
  /** CPU of the proxy's whole process tree. */
  cpuUs: 'CPU µs',
  perS: 'per s',
  p50Us: 'p50 µs',
  p99Us: 'p99 µs',
  /** Latency through the proxy, less that without one. */
  addedP50Us: 'added p50 µs',
  addedP99Us: 'added p99 µs',
  /** The same without what is done to the proxy in this row. */
  quietP99Us: 'quiet p99 µs',
  /** One figure of this target by another of it; what the row's meaning says. */
  times: 'times',
  /** Memory for one unit. */
  bytes: 'bytes',
  /** What a million units would take by that, on paper. */
  gibPerMillion: 'GiB a million, on paper',
  /** Longest time without a CONNACK. */
  gapMs: 'gap ms',
  /** That of the same load before anything was done to the proxy. */
  quietGapMs: 'gap before, ms',
  ms: 'ms',
  /** CPU of the proxy above that of as long a time before. */
  extraCpuMs: 'extra CPU, ms',
  /** Clients whose connection was ended so that they come back elsewhere, and how long they were away. */
  moved: 'moved',
  awayMs: 'away ms',
  /** Connections that are still where none should be. */
  left: 'left',
  lostConnections: 'lost connections',
  lostMessages: 'lost messages',
  /** CPU of the load and the brokers, for one unit; it is in no other figure. */
  loadUs: 'load µs',
} as const;
export type Figure = keyof typeof figures;

/** One run against one target. */
export interface Measure {
  readonly figures: Readonly<Partial<Record<Figure, number>>>;
  /** What was lost or refused that should not be, in words; empty: nothing. */
  readonly lost: readonly string[];
}

/** A line of the result. */
export interface Row {
  readonly scenario: string;
  readonly title: string;
  /** One sentence: what is done, and what is counted. */
  readonly meaning: string;
  /** What the figures are of: `connection`, `message`, `GB`. */
  readonly unit: string;
  /** What it is judged by. */
  readonly judged: Figure;
  /** `ratio`: to the base, run by run; `value`: as it is. */
  readonly by: 'ratio' | 'value';
  /** What ratios are to: `haproxy`, where the row has it. */
  readonly base: string;
  /** Figures that the table shows besides. */
  readonly shown: readonly Figure[];
  /** The aims, by target: no more than that (`judged`, as `by` says). With `atLeast` no less. */
  readonly limits: Readonly<Partial<Record<string, number>>>;
  readonly atLeast: boolean;
  /** Further targets that others are compared with, and the aims there. */
  readonly others?: readonly Pick<Row, 'base' | 'limits'>[];
  /** What a reader must know about single targets: `nginx: without stickiness`. */
  readonly notes: readonly string[];
  /** By target, in the order of the runs. A target that cannot do it has none. */
  readonly measures: Readonly<Record<string, readonly Measure[]>>;
}

/** What `--json` writes. */
export interface Results {
  /** ISO 8601. */
  readonly at: string;
  /** The machine and the versions: a line each. */
  readonly about: readonly string[];
  readonly runs: number;
  readonly seconds: number;
  readonly workers: number;
  readonly rows: readonly Row[];
}

/** The values of a figure, in the order of the runs; those that have none are left out. */
export function valuesOf(measures: readonly Measure[], figure: Figure): number[] {
  return measures.flatMap(measure => measure.figures[figure] ?? []);
}

/**
 * The runs are interleaved, so that a ratio is taken of two that stood side by side. Null: in some run the base is not above
 * 0, or the value below it, as happens to a difference that is no greater than its noise. A ratio of such a run tells nothing.
 */
export function ratiosOf(row: Row, target: string): number[] | null {
  const base = row.measures[row.base] ?? [];
  const pairs = (row.measures[target] ?? []).flatMap((measure, run) => {
    const value = measure.figures[row.judged];
    const other = base[run]?.figures[row.judged];
    return value === undefined || other === undefined ? [] : [{ value, other }];
  });
  if (pairs.some(({ value, other }) => other <= 0 || value < 0)) return null;
  return pairs.map(({ value, other }) => value / other);
}
