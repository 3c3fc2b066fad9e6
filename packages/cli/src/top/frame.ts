import type { Overview } from '../admin/facts.ts';
import { clipped, fitted } from '../output/columns.ts';
import { bytes, count, duration, shortDuration } from '../output/numbers.ts';
import type { Paint, Tone } from '../output/paint.ts';
import { printable } from '../output/print.ts';
import { peersInShort } from '../peers_text.ts';
import { progressBar } from '../task_progress.ts';
import type { Shown, TopState } from './keys.ts';
import { latency, type Row, rowsOf, shownColumns, sorted, TOP_COLUMNS, type TopColumn } from './rows.ts';
import type { Pace, Samples } from './samples.ts';

export interface TopModel {
  readonly seen: Overview;
  readonly samples: Samples;
  readonly state: TopState;
  /** Why the proxy does not answer, and since when; null: it does. */
  readonly trouble: { readonly why: string; readonly sinceMs: number } | null;
  readonly nowMs: number;
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export interface Frame {
  /** As many as the screen has rows, none wider than it. */
  readonly lines: readonly string[];
  /** What keys are about. */
  readonly shown: Shown;
}

type Part = readonly [tone: Tone, text: string];

const MOST_TASKS = 3;
/** Below this there is no room for what stands above the table. */
const FEW_ROWS = 10;

/** The whole screen. */
export function topFrame(model: TopModel, size: Size, paint: Paint): Frame {
  const { seen, state, samples } = model;
  const columns = shownColumns(size.columns);
  const column = TOP_COLUMNS.find(({ key }) => key === state.sort) ?? TOP_COLUMNS[0];
  const all = rowsOf(seen, samples);
  const rows = column === undefined ? all : sorted(all, column, state.isDescending);
  const top = headLines(model, size, paint);
  const page = Math.max(1, size.rows - top.length - 3);
  const shown = { columns: columns.map(({ key }) => key), rows: rows.map(({ name }) => name), page };
  const body = state.isHelpShown
    ? helpLines().map(line => clipped(line, size.columns))
    : tableLines(rows, columns, { ...model, page, width: size.columns, paint });
  const selected = rows.find(({ name }) => name === state.selected) ?? rows[0];
  const bottom = [detailLine(selected, size.columns, paint), footLine(model, rows, column, size.columns, paint)];
  const room = Math.max(0, size.rows - top.length - bottom.length);
  const middle = [...body.slice(0, room), ...Array<string>(Math.max(0, room - body.length)).fill('')];
  return { lines: [...top, ...middle, ...bottom].slice(0, size.rows), shown };
}

function headLines(model: TopModel, { columns, rows }: Size, paint: Paint): string[] {
  const { seen, samples } = model;
  const lines = [nameLine(model, columns, paint)];
  if (rows < FEW_ROWS) return lines;
  lines.push(...paceLines(seen, samples.pace(), columns, paint));
  const peers = peersInShort(seen);
  if (peers.length > 0) lines.push(painted(peers, columns, paint));
  const live = seen.tasks.filter(({ state }) => state === 'running' || state === 'paused');
  for (const task of live.slice(0, MOST_TASKS))
    lines.push(
      painted([['warn', `${task.kind} ${progressBar(task, 0, columns - task.kind.length - 1)}`]], columns, paint),
    );
  return [...lines, ''];
}

function nameLine({ seen: { info, workers }, nowMs, trouble, state }: TopModel, width: number, paint: Paint): string {
  const ready = workers.filter(worker => worker.state === 'ready').length;
  const clock = new Date(nowMs).toTimeString().slice(0, 8);
  const head: Part[] = [
    ['strong', `limpet ${printable(info.name)}`],
    ['plain', ` ${info.version}`],
  ];
  if (trouble !== null) {
    const away: Part = ['bad', `  does not answer for ${duration(nowMs - trouble.sinceMs)}: ${trouble.why}`];
    return painted([...head, away], width, paint);
  }
  const parts: Part[] = [
    ...head,
    [info.role === 'active' ? 'plain' : 'warn', `  ${info.role}`],
    ['plain', `  up ${shortDuration(info.at_ms - info.started_at_ms)}  workers `],
    [ready < info.workers ? 'warn' : 'plain', `${ready}/${info.workers}`],
    info.store_reachable ? ['plain', `  ${info.store}`] : ['bad', `  ${info.store} does not answer`],
    ...(info.stopping ? [['warn', '  stopping'] as const] : []),
    ...(info.upgrade.successor_pid === null
      ? []
      : [['warn', `  replaced by pid ${info.upgrade.successor_pid}`] as const]),
    ...(state.isPaused ? [['warn', '  paused'] as const] : []),
  ];
  const used = parts.reduce((sum, [, text]) => sum + text.length, 0);
  const gap = width - used - clock.length;
  return painted(gap < 2 ? parts : [...parts, ['plain', ' '.repeat(gap)], ['dim', clock]], width, paint);
}

function paceLines({ info }: Overview, pace: Pace | null, width: number, paint: Paint): string[] {
  const perSecond = (value: number | undefined): string => (value === undefined ? '-' : `${count(value)}/s`);
  const refused = pace?.refused ?? 0;
  return [
    painted(
      [
        ['plain', 'sessions '],
        ['strong', count(info.sessions)],
        [
          'plain',
          ` of ${count(info.maxconn)}   new ${count(info.rate)}/s   ended ${perSecond(pace?.ended)}   refused `,
        ],
        [refused >= 0.5 ? 'bad' : 'plain', perSecond(pace?.refused)],
        ...(info.queued === 0 ? [] : [['warn', `   waiting ${count(info.queued)}`] as const]),
      ],
      width,
      paint,
    ),
    painted(
      [
        [
          'plain',
          `bytes    in ${pace === null ? '-' : bytes(pace.bytesIn)}/s   out ${pace === null ? '-' : bytes(pace.bytesOut)}/s`,
        ],
        ['plain', `   CONNACK p50 ${latency(pace?.connackP50 ?? null)}, p99 ${latency(pace?.connackP99 ?? null)}`],
      ],
      width,
      paint,
    ),
  ];
}

interface TableOptions extends TopModel {
  readonly page: number;
  readonly width: number;
  readonly paint: Paint;
}

function tableLines(rows: readonly Row[], columns: readonly TopColumn[], options: TableOptions): string[] {
  const { state, page, width, paint } = options;
  const taken = columns.reduce((sum, column) => sum + column.width + 1, 1);
  // Names of servers have what is left; more than the longest one would only pull the columns apart.
  const longest = Math.max(0, ...rows.map(({ name }) => name.length)) - (columns[0]?.width ?? 0);
  const extra = Math.max(0, Math.min(width - taken, longest));
  const widths = columns.map((column, at) => column.width + (at === 0 ? extra : 0));
  const at = Math.max(
    0,
    rows.findIndex(({ name }) => name === state.selected),
  );
  const first = Math.max(0, Math.min(at - Math.floor(page / 2), rows.length - page));
  return [
    headRow(columns, widths, state, width, paint),
    ...rows
      .slice(first, first + page)
      .map((row, place) => tableRow(row, columns, widths, { isSelected: first + place === at, width, paint })),
  ];
}

function headRow(
  columns: readonly TopColumn[],
  widths: readonly number[],
  state: TopState,
  width: number,
  paint: Paint,
): string {
  const cells = columns.map((column, at) => {
    const title = column.key === state.sort ? `${column.title}${state.isDescending ? '▼' : '▲'}` : column.title;
    return fitted(title, widths[at] ?? 0, column.align);
  });
  return paint('strong', clipped(` ${cells.join(' ')}`, width));
}

interface RowOptions {
  readonly isSelected: boolean;
  readonly width: number;
  readonly paint: Paint;
}

function tableRow(row: Row, columns: readonly TopColumn[], widths: readonly number[], options: RowOptions): string {
  const parts = columns.flatMap((column, at): Part[] => {
    const cell = fitted(column.text(row), widths[at] ?? 0, column.align);
    const tone = column.key === 'state' ? row.state.tone : options.isSelected ? 'strong' : 'plain';
    return [
      ['plain', at === 0 ? '' : ' '],
      [tone, cell],
    ];
  });
  return painted([['strong', options.isSelected ? '>' : ' '], ...parts], options.width, options.paint);
}

/** All that is known of the chosen server, on one line. */
function detailLine(row: Row | undefined, width: number, paint: Paint): string {
  if (row === undefined) return '';
  const { server, state } = row;
  const check = server.last_check;
  const checked = check === null ? '' : `, last check ${check.status} in ${check.duration_ms} ms`;
  const address = server.address === null ? `${server.host} does not resolve` : `${server.address}:${server.port}`;
  return painted(
    [
      ['strong', row.name],
      ['plain', ` ${address} `],
      [state.tone, state.word],
      ['plain', ` for ${shortDuration(row.forMs)}: ${printable(server.reason)}${checked}`],
    ],
    width,
    paint,
  );
}

function footLine(
  { state }: TopModel,
  rows: readonly Row[],
  column: TopColumn | undefined,
  width: number,
  paint: Paint,
): string {
  const at = rows.findIndex(({ name }) => name === state.selected);
  const keys = `q quit  ↑↓ choose  ←→ sort (${column?.title ?? ''})  r reverse  p ${state.isPaused ? 'go on' : 'pause'}  ? help`;
  const where = `${Math.max(0, at) + Math.min(1, rows.length)}/${rows.length}`;
  const gap = width - keys.length - where.length;
  return paint('dim', gap < 2 ? clipped(keys, width) : `${keys}${' '.repeat(gap)}${where}`);
}

function helpLines(): string[] {
  return [
    '',
    '  q, Ctrl-C        leave',
    '  ↑ ↓, j k         choose a server; the line at the bottom says more of it',
    '  PgUp PgDn, g G   a page, the first, the last',
    '  ← →, h l         sort by the column beside',
    '  r                the other way round',
    '  p, space         pause, and go on',
    '',
    '  NEW/S: of the last second; IN/S, OUT/S: of the last three.',
    '  CONNACK: the median of the last minute.',
    '  Any key closes this.',
  ];
}

/** Parts beside each other, cut where the line ends. */
function painted(parts: readonly Part[], width: number, paint: Paint): string {
  let room = width;
  let line = '';
  for (const [tone, text] of parts) {
    const shown = text.length <= room ? text : clipped(text, room);
    line += paint(tone, shown);
    room -= shown.length;
    if (shown.length < text.length) break;
  }
  return line;
}
