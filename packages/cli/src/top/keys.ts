/** What the user has chosen. */
export interface TopState {
  readonly sort: string;
  readonly isDescending: boolean;
  /** The name of the row. Null: the first one. */
  readonly selected: string | null;
  readonly isPaused: boolean;
  readonly isHelpShown: boolean;
}

export const START: TopState = {
  sort: 'server',
  isDescending: false,
  selected: null,
  isPaused: false,
  isHelpShown: false,
};

/** What is on the screen: keys of columns, names of rows in their order, and how many rows have room. */
export interface Shown {
  readonly columns: readonly string[];
  readonly rows: readonly string[];
  readonly page: number;
}

/** As node:readline names keys. */
export interface Key {
  readonly name?: string | undefined;
  readonly sequence?: string | undefined;
  readonly ctrl?: boolean | undefined;
}

/** What a key makes of the state; null: the user wants to leave. */
export function pressed(state: TopState, key: Key, shown: Shown): TopState | null {
  const name =
    key.ctrl === true ? `^${key.name}` : ((key.sequence === '?' ? '?' : key.sequence === 'G' ? 'G' : key.name) ?? '');
  if (['q', '^c', '^d'].includes(name)) return null;
  if (state.isHelpShown) return { ...state, isHelpShown: false };
  const step = STEPS[name];
  if (step !== undefined) return { ...state, selected: moved(state.selected, step(shown.page), shown.rows) };
  const side = SIDES[name];
  if (side !== undefined) return sortedBy(state, side, shown.columns);
  if (name === 'r') return { ...state, isDescending: !state.isDescending };
  if (name === 'p' || name === 'space') return { ...state, isPaused: !state.isPaused };
  if (name === '?') return { ...state, isHelpShown: true };
  return state;
}

const STEPS: Readonly<Record<string, (page: number) => number>> = {
  j: () => 1,
  down: () => 1,
  k: () => -1,
  up: () => -1,
  pagedown: page => page,
  '^f': page => page,
  pageup: page => -page,
  '^b': page => -page,
  g: () => Number.NEGATIVE_INFINITY,
  home: () => Number.NEGATIVE_INFINITY,
  G: () => Number.POSITIVE_INFINITY,
  end: () => Number.POSITIVE_INFINITY,
};

const SIDES: Readonly<Record<string, -1 | 1>> = { left: -1, h: -1, right: 1, l: 1 };

function moved(selected: string | null, step: number, rows: readonly string[]): string | null {
  const at = Math.max(0, selected === null ? 0 : rows.indexOf(selected));
  return rows[Math.min(rows.length - 1, Math.max(0, at + step))] ?? null;
}

/** Names and words begin at A, numbers with the largest. */
function sortedBy(state: TopState, side: -1 | 1, columns: readonly string[]): TopState {
  const at = Math.max(0, columns.indexOf(state.sort));
  const sort = columns[(at + side + columns.length) % columns.length] ?? state.sort;
  return { ...state, sort, isDescending: sort !== 'server' && sort !== 'state' };
}
