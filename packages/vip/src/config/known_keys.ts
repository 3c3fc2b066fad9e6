import { distance } from 'fastest-levenshtein';
import { z } from 'zod';

/** The keys that a schema knows at a path; none where no mapping may stand. */
export function knownKeys(root: z.core.$ZodType, path: readonly PropertyKey[]): readonly string[] {
  let mapping = mappingOf(root);
  for (const key of path) {
    const part = mapping?.shape[String(key)];
    mapping = part === undefined ? null : mappingOf(part);
  }
  return Object.keys(mapping?.shape ?? {});
}

function mappingOf(schema: z.core.$ZodType): z.ZodObject | null {
  if (schema instanceof z.ZodObject) return schema;
  if (schema instanceof z.ZodUnion) return schema.options.map(mappingOf).find(one => one !== null) ?? null;
  const isWrapped = schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault;
  return isWrapped ? mappingOf(schema.def.innerType) : null;
}

/** The known key that was probably meant: a third of its letters are wrong at most. Null: none is near. */
export function meantKey(written: string, known: readonly string[]): string | null {
  const plain = written.toLowerCase().replaceAll('-', '_').slice(0, 64);
  const [best] = known
    .map(key => ({ key, edits: distance(plain, key) }))
    .filter(({ key, edits }) => edits <= Math.max(1, Math.floor(key.length / 3)))
    .toSorted((a, b) => a.edits - b.edits);
  return best?.key ?? null;
}
