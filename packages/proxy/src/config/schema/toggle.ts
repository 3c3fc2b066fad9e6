import { z } from 'zod';
import { type KeyDoc, keyDoc, scalar } from './values.ts';

/** A mapping that can be switched off with `false`; `true` is the mapping with nothing in it. */
export function toggle<T>(mapping: z.ZodType<T>, doc: KeyDoc): z.ZodType<T | false> {
  const word = scalar<boolean>(doc.type, doc.meaning, input => {
    if (input === false || input === 'false') return { ok: true, value: false };
    if (input === true || input === 'true') return { ok: true, value: true };
    return {
      ok: false,
      message: '{value} is neither false nor a mapping',
      remedy: 'Write false, or a mapping of its keys.',
    };
  });
  const empty = (on: boolean): T | false => (on ? mapping.parse({}) : false);
  return z.union([word.transform(empty), mapping]).meta(keyDoc(doc.type, withDefault(doc)));
}

function withDefault({ meaning, standard }: KeyDoc): string | { meaning: string; standard: string } {
  return standard === undefined ? meaning : { meaning, standard };
}
