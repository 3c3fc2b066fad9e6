import type { AdminLevel } from '../control.ts';
import { type Command, isAllowed } from './command.ts';

/** Where a command line's words lead. */
export type Found =
  | { readonly kind: 'command'; readonly command: Command; readonly args: readonly string[] }
  /** Commands that begin alike; none: nothing is near. */
  | { readonly kind: 'unknown'; readonly near: readonly Command[] };

/** The command with most words that the line begins with. Words are whole: nothing is abbreviated. */
export function findCommand(commands: readonly Command[], words: readonly string[]): Found {
  let best: { readonly command: Command; readonly length: number } | null = null;
  for (const command of commands) {
    const names = command.words.split(' ');
    if (!names.every((name, index) => words[index] === name)) continue;
    if (best === null || names.length > best.length) best = { command, length: names.length };
  }
  if (best !== null) return { kind: 'command', command: best.command, args: words.slice(best.length) };
  return { kind: 'unknown', near: nearest(commands, words) };
}

/** Those that share most of the first words with the line. */
function nearest(commands: readonly Command[], words: readonly string[]): readonly Command[] {
  const shared = commands.map(command => {
    const names = command.words.split(' ');
    const differs = names.findIndex((name, index) => words[index] !== name);
    return differs === -1 ? names.length : differs;
  });
  const most = Math.max(0, ...shared);
  return most === 0 ? [] : commands.filter((_, index) => shared[index] === most);
}

const WIDTH = 42;

/** HAProxy's list of commands: `  show stat …   : report counters …`. Only those that the caller may use. */
export function helpText(head: string, commands: readonly Command[], level: AdminLevel): string {
  const lines = commands
    .filter(command => isAllowed(level, command.level))
    .map(({ words, usage, does }) => `  ${`${words} ${usage}`.trim().padEnd(WIDTH)}: ${does}\n`);
  return `${head}\n${lines.join('')}`;
}
