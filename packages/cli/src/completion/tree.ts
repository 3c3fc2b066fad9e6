import type { Command } from 'commander';

/** What may stand at a place of the command line. Names of a running proxy are asked from it. */
export type Kind =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'names'; readonly names: NameKind }
  | { readonly kind: 'file' }
  | { readonly kind: 'other' };

/** `servers`: `emqx/emqx1`; `server`: `emqx1`; `backends`: `emqx`. */
export type NameKind = 'servers' | 'server' | 'backends';
export const NAME_KINDS: readonly NameKind[] = ['servers', 'server', 'backends'];

export interface OptionSpot {
  /** `-c`, `--config`. */
  readonly flags: readonly string[];
  readonly description: string;
  /** Null: it takes no value. */
  readonly value: Kind | null;
}

export interface CommandSpot {
  /** `server drain`; the program itself: ''. */
  readonly path: string;
  readonly commands: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly OptionSpot[];
  /** By their place. */
  readonly args: readonly Kind[];
}

/** Every command of the tree that the help shows, the program first. */
export function spotsOf(program: Command): readonly CommandSpot[] {
  return collect(program, []);
}

function collect(command: Command, path: readonly string[]): readonly CommandSpot[] {
  const help = command.createHelp();
  const below = help.visibleCommands(command);
  const spot: CommandSpot = {
    path: path.join(' '),
    commands: below.map(one => ({ name: one.name(), description: one.description() })),
    options: help.visibleOptions(command).map(option => ({
      flags: [option.short, option.long].filter(flag => flag !== undefined && flag !== null),
      description: option.description,
      value: option.required ? kindOf(option.name(), option.argChoices) : null,
    })),
    args: command.registeredArguments.map(argument => kindOf(argument.name(), argument.argChoices)),
  };
  // `limpet help server` is one too, but has nothing below it.
  return [spot, ...below.filter(one => one.name() !== 'help').flatMap(one => collect(one, [...path, one.name()]))];
}

const NAMES: Readonly<Record<string, Kind>> = {
  'backend/server': { kind: 'names', names: 'servers' },
  server: { kind: 'names', names: 'server' },
  backend: { kind: 'names', names: 'backends' },
  file: { kind: 'file' },
  config: { kind: 'file' },
  socket: { kind: 'file' },
  output: { kind: 'file' },
};

function kindOf(name: string, choices: readonly string[] | undefined): Kind {
  if (choices !== undefined) return { kind: 'words', words: choices };
  return NAMES[name] ?? { kind: 'other' };
}
