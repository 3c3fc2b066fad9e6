import type { Problem } from './problem.ts';
import { type Path, type Place, placeKey, type Tree } from './tree.ts';

type Mapping = Record<string, unknown>;

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

interface Merging {
  readonly places: Map<string, Place>;
  readonly problems: Problem[];
}

function clash(path: Path, first: Place, second: Place): Problem {
  const where = `${first.file}:${first.key.line}:${first.key.column}`;
  return {
    file: second.file,
    ...second.key,
    message: `\`${path.map(String).join('.')}\` stands in two files; the other place is ${where}`,
    remedy: 'Remove or rename one of them.',
  };
}

function mergeInto(target: Mapping, source: Mapping, path: Path, tree: Tree, merging: Merging): void {
  for (const [key, value] of Object.entries(source)) {
    const here = [...path, key];
    const there = target[key];
    const first = merging.places.get(placeKey(here));
    const second = tree.places.get(placeKey(here));
    if (first === undefined || second === undefined) target[key] = value;
    // Sections are put together from all files; what is inside one belongs to one file.
    else if (path.length === 0 && isMapping(there) && isMapping(value)) mergeInto(there, value, here, tree, merging);
    else merging.problems.push(clash(here, first, second));
  }
}

/**
 * Puts the files of a folder together. `global`, `state`, `defaults`, `frontends` and `backends` may be spread over
 * files, but no key in them may stand in two. Where one file could not be read there is no value: what is missing in the
 * others may stand in it.
 */
export function mergeTrees(folder: string, trees: readonly Tree[]): Tree {
  const value: Mapping = {};
  const merging: Merging = { places: new Map(), problems: [] };
  for (const tree of trees) {
    // A shallow copy of each section: merging must not write into the trees.
    const sections = Object.entries(tree.value ?? {}).map(([key, part]) => [key, isMapping(part) ? { ...part } : part]);
    mergeInto(value, Object.fromEntries(sections), [], tree, merging);
    for (const [key, place] of tree.places) if (!merging.places.has(key)) merging.places.set(key, place);
  }
  const problems = [...trees.flatMap(tree => tree.problems), ...merging.problems];
  const start = { file: folder, line: 0, column: 0 };
  return { value: trees.some(tree => tree.value === null) ? null : value, places: merging.places, problems, start };
}
