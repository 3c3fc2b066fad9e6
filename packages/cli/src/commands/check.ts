import type { Command } from 'commander';
import { type ConfigFlags, readConfig, tellWarnings, withConfigOption } from '../configuration.ts';
import { EXIT, type Finish } from '../exit_code.ts';
import { describeFrontends } from '../frontend_line.ts';

const HELP = `
A right configuration: one line per frontend on stdout, exit code ${EXIT.ok}.
A wrong one: every problem on stderr, with file, line, column and what would be right, exit code ${EXIT.failed}.
Nothing is started and no broker is asked.

Examples:
  limpet check -c limpet.yaml
  limpet check -c conf.d && systemctl restart limpet
`;

/** `limpet check`: reads the configuration and says what it would do, or all that is wrong with it. */
export function addCheck(program: Command, finish: Finish): void {
  withConfigOption(program.command('check'))
    .description('check a configuration without starting anything')
    .addHelpText('after', HELP)
    .action((flags: ConfigFlags, command: Command) => {
      const read = readConfig(flags, command);
      tellWarnings(read?.warnings ?? []);
      if (read !== null) for (const line of describeFrontends(read.config)) console.log(line);
      finish(read === null ? EXIT.failed : EXIT.ok);
    });
}
