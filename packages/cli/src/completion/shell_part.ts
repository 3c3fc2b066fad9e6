import { readFileSync } from 'node:fs';

/** The part of a script that is the same for every tree of commands: a file of its own, one folder above `src` and `dist`. */
export function shellPart(shell: 'bash' | 'zsh' | 'fish'): string {
  return readFileSync(new URL(`../../shell/completion.${shell}`, import.meta.url), 'utf8').trimEnd();
}
