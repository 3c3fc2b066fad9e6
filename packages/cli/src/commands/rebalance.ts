import { type Command, Option } from 'commander';
import { path } from '../admin/admin_client.ts';
import type { Task } from '../admin/facts.ts';
import { share } from '../arguments.ts';
import type { Finish } from '../exit_code.ts';
import { runningProxy, WHERE_HELP, withProxyOptions } from '../running_proxy.ts';
import { followTask, giveOrder, orderOf, type TaskFlags, withTaskOptions } from '../task_command.ts';

const HELP = `
Asks those sessions to leave that a server has beyond its share (by weight) and the threshold, for a broker that has just
joined. On a terminal a bar shows what is left; Ctrl-C leaves it running.
${WHERE_HELP}
Examples:
  limpet rebalance emqx --rate 200/s
  limpet rebalance emqx --rate 200/s --threshold 10% --wait
  limpet rebalance emqx --cancel
`;

type RebalanceFlags = TaskFlags & { readonly threshold?: number };

/** `limpet rebalance`: evens the sessions of a backend at a pace. */
export function addRebalance(program: Command, finish: Finish): void {
  const command = withProxyOptions(program.command('rebalance'))
    .description('even the sessions of a backend, at a pace, after a broker has joined')
    .argument('<backend>', 'as limpet status lists it')
    .addOption(
      new Option('--threshold <percent>', 'so much more than its share a server may keep (default: 5%)').argParser(
        share,
      ),
    )
    .addHelpText('after', HELP)
    .action(async (backend: string, flags: RebalanceFlags, self: Command) =>
      finish(await rebalance(backend, flags, self)),
    );
  withTaskOptions(command, 'rebalance');
}

async function rebalance(backend: string, flags: RebalanceFlags, command: Command): Promise<number> {
  const order = orderOf(flags, command);
  const { rate, threshold, reason } = flags;
  if (order === null && rate === undefined) command.error('error: no pace named, add: --rate 200/s');
  const proxy = runningProxy(flags);
  if (order !== null) {
    const task = await giveOrder(proxy, order, { kind: 'rebalance', backend, server: null });
    return await followTask(proxy, task, { ...flags, wait: flags.wait === true && order === 'resume' }, 0);
  }
  const task = await proxy.send<Task>('POST', path`/backends/${backend}/rebalance`, { rate, threshold, reason });
  return await followTask(proxy, task, flags, 0);
}
