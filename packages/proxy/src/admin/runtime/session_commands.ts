import type { AdminLevel } from '../control.ts';
import { type Answer, type Command, demand, isAllowed, Refusal } from './command.ts';
import { findCommand, helpText } from './find_command.ts';

const SECOND_MS = 1000;
const UNITS: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: SECOND_MS,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
/** A forgotten terminal is not there for ever. */
const LONGEST_MS = 86_400_000;

/** The commands about the connection itself. `all` answers every command, these included. */
export function sessionCommands(all: () => readonly Command[]): readonly Command[] {
  return [
    {
      words: 'set timeout cli',
      usage: '<delay>',
      does: 'change how long this connection may be idle (seconds, or with a unit); below admin only shorter',
      level: 'user',
      run: ([delay], { connection }) => {
        connection.setTimeoutMs(readDelayMs(delay));
        return '';
      },
    },
    {
      words: 'show cli level',
      usage: '',
      does: 'display the level of this connection',
      level: 'user',
      run: (_, { level }) => level,
    },
    lower('operator'),
    lower('user'),
    {
      words: 'help',
      usage: '[<command>]',
      does: 'list matching or all commands',
      level: 'user',
      run: (args, { level }) => help(all(), args, level),
    },
    {
      words: 'prompt',
      usage: '',
      does: 'toggle interactive mode with prompt',
      level: 'user',
      run: (_, { connection }) => {
        connection.togglePrompt();
        return '';
      },
    },
    {
      words: 'quit',
      usage: '',
      does: 'disconnect',
      level: 'user',
      run: (_, { connection }) => {
        connection.quit();
        return '';
      },
    },
  ];
}

function lower(level: AdminLevel): Command {
  return {
    words: level,
    usage: '',
    does: `lower the level of this connection to ${level}`,
    level: 'user',
    run: (_, caller) => {
      demand(caller, level);
      caller.connection.lowerLevel(level);
      return '';
    },
  };
}

function help(commands: readonly Command[], args: readonly string[], level: AdminLevel): Answer {
  const matching = commands.filter(({ words }) => `${words} `.startsWith(`${args.join(' ')} `));
  if (args.length === 0) return helpText('The following commands are valid at this level:', commands, level);
  if (matching.length > 0) return helpText('The following commands are valid at this level:', matching, level);
  const found = findCommand(commands, args);
  return unknownText(commands, found.kind === 'unknown' ? found.near : [found.command], level);
}

/** HAProxy's answer to a command that it does not know. */
export function unknownText(all: readonly Command[], near: readonly Command[], level: AdminLevel): string {
  const usable = near.filter(command => isAllowed(level, command.level));
  if (usable.length === 0) {
    return helpText('Unknown command. Please enter one of the following commands only:', all, level);
  }
  return helpText('Unknown command, but maybe one of the following ones is a better match:', usable, level);
}

function readDelayMs(text: string | undefined): number {
  const match = /^(\d{1,12})(us|ms|s|m|h|d)?$/.exec(text ?? '');
  if (match === null) throw new Refusal('Expects an integer value.');
  const ms = Number(match[1]) * (UNITS[match[2] ?? 's'] ?? SECOND_MS);
  if (ms < 1 || ms > LONGEST_MS) throw new Refusal('Value out of range. Give 1 to 86400 seconds.');
  return Math.round(ms);
}
