import { shellPart } from './shell_part.ts';
import { shellTables } from './shell_tables.ts';
import type { CommandSpot } from './tree.ts';

/** The script for `source <(limpet completion bash)`. Works with bash 4 and later, with or without bash-completion. */
export function bashCompletion(spots: readonly CommandSpot[]): string {
  return ['# limpet completion bash', ...shellTables(spots), shellPart('bash')].join('\n');
}
