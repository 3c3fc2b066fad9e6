import type { Reading } from './units.ts';

/**
 * JavaScript's expressions backtrack, and while one runs its worker serves nobody. Each loop multiplies the steps by the
 * length of the field (1,024 characters at most are looked at); a start that is not anchored counts as one.
 */
const MAX_LOOPS = 2;
/** Each optional part or alternative at most doubles the steps. */
const MAX_CHOICES = 8;
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
  if (kind === 'loop') scan.shape.loops += 1;
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

/** A loop over a class, then the character that must follow. Groups may begin or end between the two. */
const LOOP_AND_NEXT =
  /(\[(?:\\.|[^\]\\])*\]|\\[wdsWDS])[*+]\)*(?:\((?:\?:)?)*(?:\\([^A-Za-z0-9])|([^\\.*+?()[\]{}|^$]))(?![*?{])/gu;

/**
 * Loops whose class does not hold the character behind them, as in `[^/]+/` and `[a-z]+-`. Such a loop can end at one
 * place only, so it multiplies nothing.
 */
function settledLoops(source: string): number {
  const found = [...source.matchAll(LOOP_AND_NEXT)];
  return found.filter(([, loop = '', escaped, plain]) => !new RegExp(loop, 'u').test(escaped ?? plain ?? '')).length;
}

/** Counts what makes an expression slow. `nested` is a repetition around something that varies: `(a+)+`, `(a|b)*`. */
function shapeOf(source: string): Shape {
  const shape: Shape = { loops: source.startsWith('^') ? 0 : 1, choices: 0, nested: false };
  const scan: Scan = { shape, open: [], varies: false, closedOneThatVaries: false };
  for (const [token] of source.matchAll(TOKEN)) countToken(token, scan);
  shape.loops -= settledLoops(source);
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
  if (shape.loops <= MAX_LOOPS && shape.choices <= MAX_CHOICES) return null;
  const remedy =
    'Begin it with ^, and loop up to a separator, as in [^/]+/ ; at most 2 other * or +, and 8 of ? and |.';
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
