import { z } from 'zod';
import { suggest } from '../suggest.ts';
import { type Reading, readCount, readDuration, readSize, writeDuration, writeSize } from '../units.ts';

/** A value as YAML gives it. */
export type Written = string | number | boolean;

/** What the reference says of a key. */
export interface KeyDoc {
  readonly type: string;
  readonly meaning: string;
  /** What holds where the key is left out, when the schema itself does not fill it in. */
  readonly standard?: string | undefined;
}

/** The meaning of a key, or with it the default that is filled in after the schema. */
export type Meaning = string | { readonly meaning: string; readonly standard: string };

export function keyDoc(type: string, meaning: Meaning): KeyDoc & Record<string, unknown> {
  return typeof meaning === 'string' ? { type, meaning } : { type, ...meaning };
}

/** A schema of one scalar. `{value}` in a message is filled in later, so that a secret never reaches an error. */
export function scalar<T>(type: string, meaning: Meaning, read: (input: Written) => Reading<T>): z.ZodType<T> {
  return z
    .unknown()
    .transform((input, context): T => {
      if (typeof input !== 'string' && typeof input !== 'number' && typeof input !== 'boolean') {
        context.issues.push({ code: 'invalid_type', expected: type as 'string', input });
        return z.NEVER;
      }
      const reading = read(input);
      if (reading.ok) return reading.value;
      context.issues.push({ code: 'custom', message: reading.message, params: { remedy: reading.remedy }, input });
      return z.NEVER;
    })
    .meta(keyDoc(type, meaning));
}

interface Limits {
  readonly min: number;
  readonly max: number;
}

function within(
  input: Written,
  reading: Reading<number>,
  limits: Limits,
  write: (value: number) => string,
): Reading<number> {
  if (!reading.ok || (reading.value >= limits.min && reading.value <= limits.max)) return reading;
  const small = reading.value < limits.min;
  // `connect: 10` is the slip of everybody who thinks in seconds.
  const unit = small && write !== String && /^\d+$/.test(String(input)) ? ' Is the unit missing?' : '';
  const remedy = `Write ${write(limits.min)} to ${write(limits.max)}.${unit}`;
  return { ok: false, message: `{value} is too ${small ? 'small' : 'large'}`, remedy };
}

/** Node's timers hold no more than 2^31 - 1 ms, so no duration that one waits for is longer than this. */
const LONGEST_TIMER_MS = 24 * 86_400_000;

export function duration(meaning: Meaning, min = 100, max: number = LONGEST_TIMER_MS): z.ZodType<number> {
  return scalar('duration', meaning, input => within(input, readDuration(input), { min, max }, writeDuration));
}

export function size(meaning: Meaning, min: number, max: number): z.ZodType<number> {
  return scalar('size', meaning, input => within(input, readSize(input), { min, max }, writeSize));
}

export function count(meaning: Meaning, min: number, max: number): z.ZodType<number> {
  return scalar('number', meaning, input => within(input, readCount(input), { min, max }, String));
}

function readInteger(input: Written, { min, max }: Limits): Reading<number> {
  const number = /^-?\d{1,15}$/.test(String(input)) ? Number(input) : null;
  if (number !== null && number >= min && number <= max) return { ok: true, value: number };
  const message = number === null ? '{value} is not a whole number' : '{value} is out of range';
  return { ok: false, message, remedy: `Write a whole number from ${min} to ${max}.` };
}

/** Digits in a string are a number too: that is how one comes out of the environment. */
export function integer(meaning: Meaning, min: number, max: number): z.ZodType<number> {
  return scalar(`${min} ${max - min === 1 ? 'or' : 'to'} ${max}`, meaning, input => readInteger(input, { min, max }));
}

export function port(meaning: Meaning): z.ZodType<number> {
  return integer(meaning, 1, 65_535);
}

function readFlag(input: Written): Reading<boolean> {
  if (input === true || input === 'true') return { ok: true, value: true };
  if (input === false || input === 'false') return { ok: true, value: false };
  return { ok: false, message: '{value} is neither true nor false', remedy: 'Write true or false.' };
}

export function flag(meaning: Meaning): z.ZodType<boolean> {
  return scalar('true or false', meaning, readFlag);
}

export function choice<const T extends string>(meaning: Meaning, words: readonly T[]): z.ZodType<T> {
  const list = words.join(', ');
  return scalar(words.map(word => `\`${word}\``).join(', '), meaning, input => {
    const found = words.find(word => word === String(input));
    if (found !== undefined) return { ok: true, value: found };
    const meant = suggest(String(input), words);
    const remedy = `${meant === null ? '' : `Did you mean ${meant}? `}Write one of: ${list}.`;
    return { ok: false, message: '{value} is not known here', remedy };
  });
}

interface TextRule {
  readonly pattern: RegExp;
  readonly remedy: string;
}

const ANY_TEXT: TextRule = { pattern: /^[^\0]+$/s, remedy: 'Write at least one character.' };
export const NAME: TextRule = {
  pattern: /^[A-Za-z0-9_.-]{1,64}$/,
  remedy: 'Write 1 to 64 letters, digits, and the characters _ . and -.',
};

export function text(meaning: Meaning, rule: TextRule = ANY_TEXT, type = 'text'): z.ZodType<string> {
  return scalar(type, meaning, input => {
    // YAML makes a number of 0123 and would lose the nought: what is text is taken as text only.
    if (typeof input !== 'string') {
      return { ok: false, message: '{value} is not text', remedy: 'Put quotes around it.' };
    }
    return rule.pattern.test(input)
      ? { ok: true, value: input }
      : { ok: false, message: '{value} cannot be used here', remedy: rule.remedy };
  });
}

/** The key of a frontend, a backend or a server. */
export const nameSchema: z.ZodType<string, string> = z.string().regex(NAME.pattern, NAME.remedy);
