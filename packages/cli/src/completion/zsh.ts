import { shellPart } from './shell_part.ts';
import { shellTables } from './shell_tables.ts';
import type { CommandSpot } from './tree.ts';

/** The script, for a folder of $fpath as `_limpet`, or for `source <(limpet completion zsh)` behind compinit. */
export function zshCompletion(spots: readonly CommandSpot[]): string {
  return ['#compdef limpet', ...shellTables(spots), shellPart('zsh')].join('\n');
}
