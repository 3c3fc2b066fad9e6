import { isIP } from 'node:net';
import { z } from 'zod';
import type { VirtualAddress } from '../host/address.ts';
import { type Endpoint, readEndpoint, readIPv6 } from './endpoint.ts';

/** What is wrong, and what would be right: the two halves of a zod message, told apart by this. */
export const remedyMark = ' → ';

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 };
const longestPrefix = { 4: 32, 6: 128 } as const;

/** A value that `read` makes of a text; null: it is wrong. */
function parsed<T>(read: (text: string) => T | null, wrong: string, remedy: string): z.ZodType<T> {
  return z.union([z.string(), z.number()]).transform((input, context) => {
    const value = read(String(input).trim());
    if (value !== null) return value;
    context.addIssue({ code: 'custom', message: `this is not ${wrong}${remedyMark}${remedy}` });
    return z.NEVER;
  }) as unknown as z.ZodType<T>;
}

/** Milliseconds, between two limits. */
export function duration(least: number, most: number): z.ZodType<number> {
  const remedy = `Write a number and ms, s or m, from ${least}ms to ${most}ms: 200ms, 3s.`;
  return parsed(
    text => {
      const [, digits, unit = ''] = /^(\d{1,9})(ms|s|m)$/.exec(text) ?? [];
      const ms = Number(digits) * (units[unit] ?? Number.NaN);
      return ms >= least && ms <= most ? ms : null;
    },
    'a duration that is possible here',
    remedy,
  );
}

/** An address with the length of its prefix. */
export function virtualAddress(): z.ZodType<VirtualAddress> {
  return parsed(
    text => {
      const [written = '', digits = ''] = text.split('/');
      const family = isIP(written);
      const prefix = Number(digits);
      if ((family !== 4 && family !== 6) || !/^\d{1,3}$/.test(digits) || prefix > longestPrefix[family]) return null;
      const address = family === 6 ? readIPv6(written) : written;
      return address === null ? null : { address, prefix, family };
    },
    'an address with a prefix length',
    'Write 10.0.0.100/24 or fd00::100/64: the address that moves.',
  );
}

export function endpoint(): z.ZodType<Endpoint> {
  return parsed(
    readEndpoint,
    'an address and a port',
    'Write a literal address and a port: 10.0.0.1:7946 or [fd00::1]:7946.',
  );
}

/** One of something, or a list. */
export function oneOrMore<T>(one: z.ZodType<T>): z.ZodType<readonly T[]> {
  return z.union([z.array(one).min(1), one.transform(value => [value])]) as unknown as z.ZodType<readonly T[]>;
}

export function word(pattern: RegExp, remedy: string): z.ZodType<string> {
  return parsed(text => (pattern.test(text) ? text : null), 'a word that is possible here', remedy);
}
