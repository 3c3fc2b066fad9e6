import type { z } from 'zod';
import { isWritten, namesInOrder, valueAt } from './locate.ts';
import { knownKeys } from './schema/walk.ts';
import type { Path, Tree } from './tree.ts';

/** The keys of the mapping that a key stands in, in the order in which they were written. */
function siblings(tree: Tree, path: Path): readonly string[] {
  const outer = path.slice(0, -1);
  const above = valueAt(tree, outer);
  if (typeof above !== 'object' || above === null || Array.isArray(above)) return [];
  return namesInOrder(tree, outer, Object.keys(above));
}

/** Whether a key could stand below this one, and is none of those that may stand beside it. */
function belongsBelow(empty: Path, key: string, schema: z.ZodType): boolean {
  const beside = knownKeys(schema, empty.slice(0, -1));
  if (beside.includes(key)) return false;
  const below = knownKeys(schema, empty);
  // Without fixed keys (`frontends`, `servers`) any name could.
  return below.length === 0 ? beside.length > 0 : below.includes(key);
}

/** The empty key right above one that is wrong where it stands: it was to stand below that, one indent deeper. */
export function emptyAbove(path: Path, tree: Tree, schema: z.ZodType): string | null {
  const outer = path.slice(0, -1);
  const keys = siblings(tree, path);
  const own = keys.indexOf(String(path.at(-1)));
  const above = keys.slice(0, Math.max(0, own));
  const at = above.findLastIndex(key => isWritten(tree, [...outer, key]) && valueAt(tree, [...outer, key]) === null);
  const empty = keys[at];
  if (empty === undefined) return null;
  const below = keys.slice(at + 1, own + 1);
  return below.every(key => belongsBelow([...outer, empty], key, schema)) ? empty : null;
}

/** Whether the key right below an empty one was to stand one indent deeper. */
export function isShallowBelow(path: Path, tree: Tree, schema: z.ZodType): boolean {
  const keys = siblings(tree, path);
  const next = keys[keys.indexOf(String(path.at(-1))) + 1];
  return next !== undefined && belongsBelow(path, next, schema);
}
