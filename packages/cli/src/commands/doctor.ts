import type { Command } from 'commander';
import { diagnose } from '../doctor/diagnosis.ts';
import { reportLines, tally } from '../doctor/report.ts';
import { EXIT, type Finish } from '../exit_code.ts';
import { paintFor } from '../output/paint.ts';
import { printJson, printLines } from '../output/print.ts';
import { type ProxyFlags, WHERE_HELP, withProxyOptions } from '../running_proxy.ts';

const HELP = `
Looks at the configuration, the proxy that runs, brokers, Redis, what moves the virtual address, the clock, and the limits of
this host, and says what to change, with the command or the line for it. It changes nothing; in Redis it writes a key of its
own for a moment. Best run as root or as the proxy's user: what cannot be read is a note. Without -c it takes the
configuration of the proxy that runs.

Exit code ${EXIT.ok}: no problem, perhaps warnings; ${EXIT.failed}: problems.
${WHERE_HELP}
Examples:
  limpet doctor -c /etc/limpet/limpet.yaml
  limpet doctor --json | jq -r '.findings[] | select(.level == "problem") | .remedies[]'
`;

/** A pipe has no width of its own. */
const PIPE_COLUMNS = 120;

/** `limpet doctor`: what this host lacks, and what to do about it. */
export function addDoctor(program: Command, finish: Finish): void {
  withProxyOptions(program.command('doctor'))
    .description('check this host, its proxy, brokers and Redis, and say what to change')
    .addHelpText('after', HELP)
    .action(async (flags: ProxyFlags) => {
      const diagnosis = await diagnose(flags);
      const { findings, configPath, proxy } = diagnosis;
      const counts = tally(findings);
      if (flags.json) printJson({ config_path: configPath, proxy, counts, findings });
      else
        printLines(
          reportLines(diagnosis, process.stdout.columns ?? PIPE_COLUMNS, paintFor(process.stdout, process.env)),
        );
      finish(counts.problem > 0 ? EXIT.failed : EXIT.ok);
    });
}
