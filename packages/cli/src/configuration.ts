import { type Config, formatProblem, loadConfig } from '@limpet/proxy';
import { type Command, Option } from 'commander';

export interface ConfigFlags {
  /** More than one is a mistake, which is told. */
  readonly config?: readonly string[];
  /** What others call `-c`. */
  readonly f?: string;
}

/** Adds `-c FILE`, the same for every command that reads a configuration. */
export function withConfigOption(command: Command): Command {
  return (
    command
      .option(
        '-c, --config <path>',
        'the configuration: a file, or a folder of *.yaml and *.yml files',
        (path: string, before: readonly string[] = []) => [...before, path],
      )
      .addOption(new Option('-f <path>').hideHelp())
      // Counted by configPath, which knows what was meant.
      .allowExcessArguments()
  );
}

export interface ReadConfig {
  readonly config: Config;
  /** As `formatProblem` makes them. Nobody has been told. */
  readonly warnings: readonly string[];
}

export function tellWarnings(warnings: readonly string[]): void {
  for (const warning of warnings) console.error(`warning: ${warning}`);
}

/**
 * Reads the configuration that `-c` names. Problems go to stderr; null: it is wrong, and every problem has
 * been told. Without `-c` it ends the command with a usage error. (Commander's own "required" is asked before the other
 * options are looked at, so it would answer a mistyped `--confg` with "not specified".)
 */
export function readConfig(flags: ConfigFlags, command: Command): ReadConfig | null {
  const path = configPath(flags, command);
  const result = loadConfig(path);
  const remarks = (result.ok ? result.warnings : result.problems).map(formatProblem);
  if (result.ok) return { config: result.config, warnings: remarks };
  for (const remark of remarks) console.error(remark);
  console.error(`limpet: ${path} has ${remarks.length === 1 ? '1 problem' : `${remarks.length} problems`}`);
  return null;
}

/** The one path that `-c` names; anything else ends the command. */
function configPath(flags: ConfigFlags, command: Command): string {
  const { args } = command;
  const name = command.name();
  const [path, ...more] = flags.config ?? [];
  const [bare] = args;
  if (flags.f !== undefined) command.error(`error: unknown option '-f', write: limpet ${name} -c ${flags.f}`);
  if (path === undefined) {
    const what = bare === undefined ? 'no configuration named' : `'${bare}' has no -c before it`;
    command.error(`error: ${what}, write: limpet ${name} -c ${bare ?? 'FILE'}`);
  }
  if (more.length > 0) {
    command.error(`error: -c stands ${more.length + 1} times; for several files name the folder that holds them`);
  }
  if (bare !== undefined) {
    command.error(`error: too many arguments for '${name}'. Expected 0 arguments but got ${args.length}.`);
  }
  return path;
}
