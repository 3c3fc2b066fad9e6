/**
 * Results of several versions of Node. Rows of one never replace those of another.
 */
import type { Results } from './measure.ts';

const nodePattern = /^Node v(\d+)\./;

/** Groups by Node, the oldest version first; each with its line of `about`, empty where that names none. */
export function byNode(results: readonly Results[]): { readonly node: string; readonly results: readonly Results[] }[] {
  const groups = new Map<string, Results[]>();
  for (const result of results) {
    const node = result.about.find(line => nodePattern.test(line)) ?? '';
    const group = groups.get(node);
    if (group === undefined) groups.set(node, [result]);
    else group.push(result);
  }
  const major = (node: string): number => Number(nodePattern.exec(node)?.[1] ?? 0);
  return [...groups].sort(([a], [b]) => major(a) - major(b)).map(([node, group]) => ({ node, results: group }));
}
