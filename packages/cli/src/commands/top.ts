import type { Command } from 'commander';
import type { PlaceFlags } from '../admin/address.ts';
import { EXIT, type Finish } from '../exit_code.ts';
import { paintFor } from '../output/paint.ts';
import { runningProxy, WHERE_HELP, withSocketOption } from '../running_proxy.ts';

const HELP = `
Sessions, rates and states of all servers, every second, and drains that run. Keys: q leaves, ↑ ↓ choose a server, ← → choose
the column that it is sorted by, r turns the order round, p pauses, ? shows all keys.
${WHERE_HELP}
Examples:
  limpet top
  limpet top -c /etc/limpet/limpet.yaml
`;

/** `limpet top`: a live view of a running proxy. */
export function addTop(program: Command, finish: Finish): void {
  withSocketOption(program.command('top'))
    .description('watch a running proxy in the terminal')
    .addHelpText('after', HELP)
    .action(async (flags: PlaceFlags, command: Command) => {
      if (!process.stdout.isTTY || !process.stdin.isTTY) {
        command.error('error: limpet top needs a terminal; for scripts there is limpet status --json');
      }
      // Only this command draws.
      const { runTop } = await import('../top/top.ts');
      await runTop(runningProxy(flags), paintFor(process.stdout, process.env));
      finish(EXIT.ok);
    });
}
