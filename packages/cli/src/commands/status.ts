import type { Command } from 'commander';
import { EXIT, type Finish } from '../exit_code.ts';
import { paintFor } from '../output/paint.ts';
import { printJson, printLines } from '../output/print.ts';
import { overview, type ProxyFlags, runningProxy, WHERE_HELP, withProxyOptions } from '../running_proxy.ts';
import { statusLines } from '../status_text.ts';

const HELP = `
The proxy itself, those that share its state (where there is more than one, or a virtual address), its frontends, its backends with the states of their servers, and drains that run. Exit code ${EXIT.ok}: it
runs; ${EXIT.failed}: nobody answers.
${WHERE_HELP}
Examples:
  limpet status
  limpet status -c /etc/limpet/limpet.yaml
  limpet status --json | jq '.backends[].servers[] | {name, admin, verdict, sessions}'
`;

/** `limpet status`: what a running proxy is doing. */
export function addStatus(program: Command, finish: Finish): void {
  withProxyOptions(program.command('status'))
    .description('show what a running proxy is doing')
    .addHelpText('after', HELP)
    .action(async (flags: ProxyFlags) => {
      const seen = await overview(runningProxy(flags));
      if (flags.json) printJson(seen);
      else printLines(statusLines(seen, paintFor(process.stdout, process.env)));
      finish(EXIT.ok);
    });
}
