import { problemAt, writePath } from './locate.ts';
import type { Problem } from './problem.ts';
import type { Path, Tree } from './tree.ts';

/** Where resolving notes what does not fit together. */
export interface Notes {
  readonly tree: Tree;
  readonly problems: Problem[];
  /** What may be meant, but is probably not. */
  readonly warnings: Problem[];
}

/** What is wrong with a key itself: it does not belong here, or something is missing beside it. */
export function noteKey(path: Path, what: string, remedy: string, { tree, problems }: Notes): void {
  problems.push(problemAt(tree, path, 'key', `\`${writePath(path)}\`: ${what}`, remedy));
}

/** What is wrong with what stands behind a key; `{value}` becomes that. */
export function noteValue(path: Path, what: string, remedy: string, { tree, problems }: Notes): void {
  problems.push(problemAt(tree, path, 'value', `\`${writePath(path)}\`: ${what}`, remedy));
}

/** What may be meant, but is probably not. */
export function warn(path: Path, what: string, remedy: string, { tree, warnings }: Notes): void {
  warnings.push(problemAt(tree, path, 'key', `\`${writePath(path)}\`: ${what}`, remedy));
}
