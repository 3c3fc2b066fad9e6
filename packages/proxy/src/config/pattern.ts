import type { Reading } from './units.ts';

/**
 * JavaScript's expressions backtrack, and while one runs its worker serves nobody. Each loop multiplies the steps by the
 * length of the field (1,024 characters at most are looked at); a start that is not anchored counts as one.
 */
const MAX_LOOPS = 2;
/** Each optional part or alternative at most doubles the steps; so many may be beside 0, 1 and 2 loops. */
const MAX_CHOICES: readonly number[] = [8, 8, 3];
const MAX_LENGTH = 1024;

const EXAMPLE = 'Write for example ^plant-[0-9]+$ .';
const KEY_EXAMPLE = 'Write for example ^([^/]+)/ : the first group is the key.';

interface Shape {
  loops: number;
  choices: number;
  nested: boolean;
}

/** One token: an escape, a class, a group's head, a quantifier, or a character. */
const TOKEN = /\\.|\[(?:\\.|[^\]\\])*\]|\((?:\?(?:<[=!]|<[^>]*>|[:=!]))?|[*+?]\??|\{\d+(?:,\d*)?\}\??|./gsu;

/** Whether a quantifier lets the part before it come a varying number of times, many times, or one time at most. */
function quantity(token: string): 'loop' | 'repeat' | 'optional' | null {
  if (/^[*+]/.test(token)) return 'loop';
  if (/^\?/.test(token)) return 'optional';
  const range = /^\{(\d+)(,(\d*))?\}/.exec(token);
  if (range === null) return null;
  const [, least = '', varying, most = ''] = range;
  if (varying === undefined || most === least) return Number(least) > 1 ? 'repeat' : 'optional';
  return most === '1' ? 'optional' : 'loop';
}

/** Where the counting is: whether the part before this token is a closed group, and whether that group varies. */
interface Scan {
  readonly shape: Shape;
  readonly open: boolean[];
  varies: boolean;
  closedOneThatVaries: boolean;
}

function countQuantifier(kind: 'loop' | 'repeat' | 'optional', scan: Scan): void {
  if (kind !== 'optional' && scan.closedOneThatVaries) scan.shape.nested = true;
  if (kind === 'optional') scan.shape.choices += 1;
  if (kind !== 'repeat') scan.varies = true;
}

function countToken(token: string, scan: Scan): void {
  const kind = quantity(token);
  if (kind !== null) countQuantifier(kind, scan);
  scan.closedOneThatVaries = token === ')' && scan.varies;
  if (token.startsWith('(')) {
    scan.open.push(scan.varies);
    scan.varies = false;
  } else if (token === ')') {
    scan.varies = scan.open.pop() === true || scan.varies;
  } else if (token === '|') {
    scan.shape.choices += 1;
    scan.varies = true;
  }
}

const CLASS = /^(?:\[|\\[wdsWDS]$)/;
const LITERAL = /^(?:\\[^A-Za-z0-9]|[^\\.*+?()[\]{}|^$])$/u;

/** Whether the group that begins here is there always, and in one way only: no `|` of its own, no quantifier behind. */
function isPlainGroup(tokens: readonly string[], begin: number): boolean {
  let depth = 0;
  for (let at = begin; at < tokens.length; at += 1) {
    const token = tokens[at] ?? '';
    if (token.startsWith('(')) depth += 1;
    else if (token === '|' && depth === 1) return false;
    else if (token === ')') depth -= 1;
    if (depth === 0) return quantity(tokens[at + 1] ?? '') === null;
  }
  return false;
}

/**
 * A loop whose class does not hold the character that always stands behind it, as in `[^/]+/` and `[a-z]+-`. Such a loop
 * can end at one place only, so it multiplies nothing. Groups may end or begin between the two.
 */
function isSettled(tokens: readonly string[], loop: number): boolean {
  const over = tokens[loop - 1] ?? '';
  if (!CLASS.test(over) || !/^[*+]$/.test(tokens[loop] ?? '')) return false;
  let at = loop + 1;
  while (tokens[at] === ')') at += 1;
  while (tokens[at]?.startsWith('(') && isPlainGroup(tokens, at)) at += 1;
  const next = tokens[at] ?? '';
  if (!LITERAL.test(next) || /^[*?{]/.test(tokens[at + 1] ?? '')) return false;
  return !new RegExp(over, 'u').test(next.replace(/^\\/, ''));
}

/** A `^` holds for every alternative only where there is one. */
function isAnchored(tokens: readonly string[]): boolean {
  let depth = 0;
  for (const token of tokens) {
    if (token.startsWith('(')) depth += 1;
    else if (token === ')') depth -= 1;
    else if (token === '|' && depth === 0) return false;
  }
  return tokens[0] === '^';
}

/** The loops that multiply. One that is settled is run through once for each way to come to it. */
function loopsOf(tokens: readonly string[]): number {
  let loops = isAnchored(tokens) ? 0 : 1;
  let rescans = 0;
  tokens.forEach((token, at) => {
    if (quantity(token) !== 'loop') return;
    if (!isSettled(tokens, at)) loops += 1;
    else if (loops > 0) rescans = 1;
  });
  return loops + rescans;
}

/** Counts what makes an expression slow. `nested` is a repetition around something that varies: `(a+)+`, `(a|b)*`. */
function shapeOf(source: string): Shape {
  const tokens = [...source.matchAll(TOKEN)].map(([token]) => token);
  const shape: Shape = { loops: loopsOf(tokens), choices: 0, nested: false };
  const scan: Scan = { shape, open: [], varies: false, closedOneThatVaries: false };
  for (const token of tokens) countToken(token, scan);
  return shape;
}

function fail(message: string, remedy: string): Reading<never> {
  return { ok: false, message, remedy };
}

/** An alternative that is empty always matches, and the answer tells the number of groups. */
function groupsOf(source: string): number {
  return (new RegExp(`${source}|`, 'u').exec('')?.length ?? 1) - 1;
}

function slowness(shape: Shape): Reading<never> | null {
  if (shape.nested) {
    const remedy = 'Repeat single characters or classes, not groups: [a-z0-9-]+ instead of ([a-z0-9]+-?)+.';
    return fail('{value} repeats a part that varies, and a client could make it run for very long', remedy);
  }
  if (shape.loops <= MAX_LOOPS && shape.choices <= (MAX_CHOICES[shape.loops] ?? 0)) return null;
  const remedy =
    'Begin it with ^, and loop up to a separator, as in [^/]+/ ; at most 2 other * or +, and 8 of ? and | (3 beside 2 loops).';
  return fail('{value} has too many parts that vary, and a client could make it run for very long', remedy);
}

/**
 * Checks an expression: Unicode syntax, and a cost that is bounded on any input of 1,024 characters. No look-around, no
 * back-reference, no repetition around a part that varies.
 */
export function readExpression(input: string | number | boolean, example: string = EXAMPLE): Reading<string> {
  const source = String(input);
  if (source.length > MAX_LENGTH) return fail('The regular expression is longer than 1024 characters', example);
  try {
    new RegExp(source, 'u');
  } catch {
    const remedy = `${example} In YAML, single quotes keep backslashes as they are.`;
    return fail('{value} is not a regular expression', remedy);
  }
  const tokens = [...source.matchAll(TOKEN)].map(([token]) => token);
  if (tokens.some(token => /^\(\?<?[=!]/.test(token))) {
    return fail('{value} looks around, which is not allowed here', example);
  }
  if (tokens.some(token => /^\\[1-9k]/.test(token))) {
    return fail('{value} refers back, which is not allowed here', example);
  }
  return slowness(shapeOf(source)) ?? { ok: true, value: source };
}

/** Checks the expression of `stick.match`, which has at least one group. */
export function readPattern(input: string | number | boolean): Reading<string> {
  const reading = readExpression(input, KEY_EXAMPLE);
  return reading.ok && groupsOf(reading.value) === 0 ? fail('{value} has no group', KEY_EXAMPLE) : reading;
}
