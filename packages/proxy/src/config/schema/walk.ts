import { z } from 'zod';
import type { KeyDoc } from './values.ts';

type Schema = z.core.$ZodType;

/** The schema within its wrappers, what is said of it, and the default that one of the wrappers gives. */
export interface Unwrapped {
  readonly schema: Schema;
  readonly doc: KeyDoc | null;
  /** As it would be written; undefined: none. */
  readonly standard: unknown;
  readonly optional: boolean;
}

function docOf(schema: Schema): KeyDoc | null {
  const meta = z.globalRegistry.get(schema);
  if (typeof meta?.type !== 'string' || typeof meta.meaning !== 'string') return null;
  const standard = meta.standard;
  return {
    type: meta.type,
    meaning: meta.meaning,
    standard: typeof standard === 'string' ? standard : undefined,
  };
}

/** Takes off `optional`, `prefault` and `transform`. */
export function unwrap(schema: Schema): Unwrapped {
  const doc = docOf(schema);
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault) {
    const inner = unwrap(schema.def.innerType);
    const standard = schema instanceof z.ZodPrefault ? schema.def.defaultValue : inner.standard;
    return { ...inner, doc: doc ?? inner.doc, standard, optional: true };
  }
  if (schema instanceof z.ZodPipe && !(schema.def.in instanceof z.ZodUnknown)) {
    const inner = unwrap(schema.def.in);
    return { ...inner, doc: doc ?? inner.doc };
  }
  return { schema, doc, standard: undefined, optional: false };
}

/** The mapping with fixed keys that may stand here, if one may. */
export function mappingOf(schema: Schema): z.ZodObject | null {
  const inner = unwrap(schema).schema;
  if (inner instanceof z.ZodObject) return inner;
  if (inner instanceof z.ZodUnion) return inner.options.map(mappingOf).find(one => one !== null) ?? null;
  return null;
}

/** The schema of the parts of a list or of a mapping of names, if one may stand here. */
export function partsOf(schema: Schema): Schema | null {
  const inner = unwrap(schema).schema;
  if (inner instanceof z.ZodRecord) return inner.valueType;
  if (inner instanceof z.ZodArray) return inner.element;
  if (inner instanceof z.ZodUnion) return inner.options.map(partsOf).find(one => one !== null) ?? null;
  return null;
}

/** Whether a mapping of names may stand here. */
export function hasNames(schema: Schema): boolean {
  const inner = unwrap(schema).schema;
  return inner instanceof z.ZodRecord || (inner instanceof z.ZodUnion && inner.options.some(hasNames));
}

/** The keys that are known at a path; none where there is no mapping with fixed keys. */
export function knownKeys(root: Schema, path: readonly PropertyKey[]): readonly string[] {
  let schema: Schema | null = root;
  for (const key of path) {
    if (schema === null) return [];
    const mapping: z.ZodObject | null = typeof key === 'number' ? null : mappingOf(schema);
    schema = mapping === null ? partsOf(schema) : (mapping.shape[String(key)] ?? null);
  }
  return schema === null ? [] : Object.keys(mappingOf(schema)?.shape ?? {});
}
