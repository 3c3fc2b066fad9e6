import type { Command } from 'commander';

/** What is to come. Who types one of them knows it from the plans, and did not mistype. */
const LATER = ['doctor'] as const;

/** Commands that are not in the help yet, and say so. */
export function addLater(program: Command): void {
  for (const name of LATER) {
    program
      .command(name, { hidden: true })
      .helpOption(false)
      .allowUnknownOption()
      .allowExcessArguments()
      .action((_flags: unknown, command: Command) => {
        command.error(`error: limpet ${name} is not in this release yet`);
      });
  }
}
