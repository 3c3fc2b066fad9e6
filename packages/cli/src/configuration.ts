import { type Config, formatProblem, loadConfig } from '@limpet/proxy';
import type { Command } from 'commander';

export interface ConfigFlags {
  readonly config?: string;
}

/** Adds `-c FILE`, the same for every command that reads a configuration. */
export function withConfigOption(command: Command): Command {
  return command.option('-c, --config <path>', 'the configuration: a file, or a folder of *.yaml and *.yml files');
}

/**
 * Reads the configuration that `-c` names. Warnings and problems go to stderr; null: it is wrong, and every problem has
 * been told. Without `-c` it ends the command with a usage error. (Commander's own "required" is asked before the other
 * options are looked at, so it would answer a mistyped `--confg` with "not specified".)
 */
export function readConfig(flags: ConfigFlags, command: Command): Config | null {
  if (flags.config === undefined) {
    command.error(`error: no configuration named, write: limpet ${command.name()} -c FILE`);
  }
  const result = loadConfig(flags.config);
  const remarks = result.ok ? result.warnings : result.problems;
  for (const remark of remarks) console.error(`${result.ok ? 'warning: ' : ''}${formatProblem(remark)}`);
  if (result.ok) return result.config;
  console.error(`limpet: ${flags.config} has ${remarks.length === 1 ? '1 problem' : `${remarks.length} problems`}`);
  return null;
}
