import type { EntryFilter } from '../control.ts';
import { Refusal } from './command.ts';

/** HAProxy takes at most four. */
const MOST_FILTERS = 4;
const STATES: ReadonlySet<string> = new Set(['pending', 'pinned', 'cooling']);

type Operator = 'eq' | 'ne' | 'le' | 'ge' | 'lt' | 'gt';

const COMPARE: Readonly<Record<Operator, (value: number, with_: number) => boolean>> = {
  eq: (value, other) => value === other,
  ne: (value, other) => value !== other,
  le: (value, other) => value <= other,
  ge: (value, other) => value >= other,
  lt: (value, other) => value < other,
  gt: (value, other) => value > other,
};

interface Condition {
  readonly servers: readonly string[] | null;
  readonly filter: EntryFilter;
}

/**
 * Reads `data.server_id <op> N`, `data.server_key eq|ne NAME` (or `data.server`), `data.state eq STATE`, `exp <op> MS`;
 * several must all hold. Answers the filters whose entries together are those that are meant: one for each server where
 * several servers are, none where no server can be.
 */
export function readTableFilters(words: readonly string[], servers: readonly string[]): readonly EntryFilter[] {
  let meant: readonly string[] | null = null;
  let filter: EntryFilter = {};
  for (let at = 0; at < words.length; at += 3) {
    const number = at / 3 + 1;
    if (number > MOST_FILTERS) throw new Refusal(`Filter entry #${number}: at most ${MOST_FILTERS} filters.`);
    const condition = readCondition(words.slice(at, at + 3), number, servers);
    const allowed: readonly string[] | null = condition.servers;
    if (allowed !== null) meant = (meant ?? servers).filter(server => allowed.includes(server));
    filter = { ...filter, ...narrower(filter, condition.filter) };
  }
  return meant === null ? [filter] : meant.map(server => ({ ...filter, server }));
}

/** Two limits of one kind: the one that lets less through. */
function narrower(before: EntryFilter, now: EntryFilter): EntryFilter {
  const below = [before.ttlMsBelow, now.ttlMsBelow].filter(limit => limit !== undefined);
  const above = [before.ttlMsAbove, now.ttlMsAbove].filter(limit => limit !== undefined);
  return {
    ...now,
    ...(below.length === 0 ? {} : { ttlMsBelow: Math.min(...below) }),
    ...(above.length === 0 ? {} : { ttlMsAbove: Math.max(...above) }),
  };
}

function readCondition(words: readonly string[], number: number, servers: readonly string[]): Condition {
  const [field = '', operator, value] = words;
  const fail = (what: string): never => {
    throw new Refusal(`Filter entry #${number}: ${what}`);
  };
  if (!field.startsWith('data.')) {
    throw new Refusal('Optional argument only supports "data.<store_data_type>" <operator> <value> and key <key>');
  }
  const name = field.slice('data.'.length);
  if (!['server_id', 'server_key', 'server', 'state', 'exp'].includes(name)) {
    return fail('Unknown data type. There are: server_id, server_key, server, state, exp.');
  }
  if (operator === undefined || !Object.hasOwn(COMPARE, operator)) {
    return fail('Require and operator among "eq", "ne", "le", "ge", "lt", "gt"');
  }
  const compare = operator as Operator;
  if (name === 'server_id' || name === 'exp') {
    if (!/^\d{1,15}$/.test(value ?? '')) return fail('Require a valid integer value to compare against');
    return name === 'exp' ? left(compare, Number(value), fail) : byId(compare, Number(value), servers);
  }
  if (value === undefined) return fail('Require a value to compare against');
  if (name === 'state') return state(compare, value, fail);
  if (compare !== 'eq' && compare !== 'ne') return fail('Names are compared by "eq" and "ne" only');
  return { servers: servers.filter(server => (server === value) === (compare === 'eq')), filter: {} };
}

function byId(compare: Operator, value: number, servers: readonly string[]): Condition {
  return { servers: servers.filter((_, index) => COMPARE[compare](index + 1, value)), filter: {} };
}

function state(compare: Operator, value: string, fail: (what: string) => never): Condition {
  if (compare !== 'eq' || !STATES.has(value)) return fail('Write data.state eq pending, pinned or cooling');
  return { servers: null, filter: { state: value as 'pending' | 'pinned' | 'cooling' } };
}

/** The limits of a filter are inclusive, in whole milliseconds. */
function left(compare: Operator, value: number, fail: (what: string) => never): Condition {
  switch (compare) {
    case 'le':
      return { servers: null, filter: { ttlMsBelow: value } };
    case 'lt':
      return { servers: null, filter: { ttlMsBelow: value - 1 } };
    case 'ge':
      return { servers: null, filter: { ttlMsAbove: value } };
    case 'gt':
      return { servers: null, filter: { ttlMsAbove: value + 1 } };
    default:
      return fail('data.exp is compared by "le", "ge", "lt" and "gt" only');
  }
}
