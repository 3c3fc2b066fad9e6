import { clashes, type HostAndPort } from './address.ts';
import { problemAt, writePath } from './locate.ts';
import type { Notes } from './notes.ts';
import type { Path } from './tree.ts';

/** Something that listens on TCP, and where its address is written. */
export interface Listen {
  readonly at: HostAndPort & { readonly label: string };
  readonly path: Path;
}

/** No two may want one port of one address: neither binds, nor the faces for operators. */
export function checkListens(listens: readonly Listen[], notes: Notes): void {
  for (const [index, { at, path }] of listens.entries()) {
    const first = listens.slice(0, index).find(other => clashes(other.at, at));
    if (first === undefined) continue;
    const message = `\`${writePath(path)}\`: {value} is taken by \`${writePath(first.path)}\``;
    const same = first.at.label === at.label;
    const remedy = same ? 'Remove one of them.' : 'Use another port, or listen on one of them only.';
    notes.problems.push(problemAt(notes.tree, path, 'value', message, remedy));
  }
}
