import { z } from 'zod';
import { keyDoc, type Meaning } from './values.ts';

/** One value, or a list of at least one. */
export function oneOrMore<T>(item: z.ZodType<T>, type: string, meaning: Meaning): z.ZodType<readonly T[]> {
  return z.union([item.transform(one => [one]), z.array(item).min(1)]).meta(keyDoc(type, meaning));
}
