import type { Problem } from './problem.ts';
import { isSecret, maskUrl } from './secret.ts';
import { type Path, type Place, placeKey, type Tree } from './tree.ts';

/** Where a problem points to: at a key, or at what stands behind it. */
type Target = 'key' | 'value';

const LONGEST_SHOWN = 60;

/** The value at a path as plain data; undefined where nothing stands. */
export function valueAt(tree: Tree, path: Path): unknown {
  let value: unknown = tree.value;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

/** Whether the file says something at this path. */
export function isWritten(tree: Tree, path: Path): boolean {
  return tree.places.has(placeKey(path));
}

/** `frontends.mqtt.bind[0]`. */
export function writePath(path: Path): string {
  return path
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index === 0 ? '' : '.'}${String(key)}`))
    .join('');
}

/** A value for an error: never a secret, never what came out of the environment, never long. */
function show(tree: Tree, path: Path): string {
  const written = tree.places.get(placeKey(path))?.written ?? null;
  if (isSecret(path)) return 'this value';
  if (written !== null) return JSON.stringify(maskUrl(written));
  const value = valueAt(tree, path);
  if (typeof value !== 'string') return String(value);
  const text = path.at(-1) === 'url' ? maskUrl(value) : value;
  return JSON.stringify(text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text);
}

function nearestPlace(tree: Tree, path: Path): { place: Place; itself: boolean } | null {
  for (let length = path.length; length > 0; length--) {
    const place = tree.places.get(placeKey(path.slice(0, length)));
    if (place !== undefined) return { place, itself: length === path.length };
  }
  return null;
}

/**
 * A problem at a path, or at the nearest thing above it that is written. `{value}` in the message becomes what stands
 * there.
 */
export function problemAt(tree: Tree, path: Path, target: Target, message: string, remedy: string): Problem {
  const nearest = nearestPlace(tree, path);
  const shown = message.replaceAll('{value}', () => show(tree, path));
  if (nearest === null) return { ...tree.start, message: shown, remedy };
  const { place, itself } = nearest;
  const position = itself && target === 'value' ? place.value : place.key;
  return { file: place.file, ...position, message: shown, remedy };
}

/** The names in a mapping in the order in which they were written: an object would put `10` before `lb`. */
export function namesInOrder(tree: Tree, path: Path, names: readonly string[]): readonly string[] {
  const order = (name: string): number => tree.places.get(placeKey([...path, name]))?.order ?? 0;
  return names.toSorted((a, b) => order(a) - order(b));
}
