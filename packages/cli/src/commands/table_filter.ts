import { type Command, Option } from 'commander';

/** Which entries are meant: all that is said must hold. */
export interface FilterFlags {
  readonly server?: string;
  readonly state?: string;
  readonly contains?: string;
}

export function withFilterOptions(command: Command): Command {
  return command
    .option('--server <server>', 'entries of this server')
    .addOption(new Option('--state <state>', 'entries in this state').choices(['pending', 'pinned', 'cooling']))
    .option('--contains <text>', 'entries whose key contains this');
}

/** As the proxy wants it. */
export function filterQuery({ server, state, contains }: FilterFlags): Record<string, string | undefined> {
  return { server, state, key_contains: contains };
}

export function hasFilter({ server, state, contains }: FilterFlags): boolean {
  return [server, state, contains].some(value => value !== undefined);
}
