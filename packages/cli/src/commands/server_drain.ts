import type { Command } from 'commander';
import { path } from '../admin/admin_client.ts';
import type { Peer, Task } from '../admin/facts.ts';
import { type ServerName, serverName } from '../arguments.ts';
import { EXIT, type Finish } from '../exit_code.ts';
import { drainElsewhere } from '../peers_text.ts';
import { runningProxy, withProxyOptions } from '../running_proxy.ts';
import { putServer } from '../server_order.ts';
import { followTask, giveOrder, orderOf, type TaskFlags, untilOption, withTaskOptions } from '../task_command.ts';

const HELP = `
Without --rate nobody is asked to leave: the server only gets no more clients. With it the server is emptied at that pace:
MQTT 5.0 clients get DISCONNECT with a reason, others are closed. On a terminal a bar shows what is left; Ctrl-C leaves the
drain running.

Examples:
  limpet server drain emqx/emqx1
  limpet server drain emqx/emqx1 --rate 200/s
  limpet server drain emqx/emqx1 --rate 200/s --until 100 --reason administrative_action --wait
  limpet server drain emqx/emqx1 --pause
  limpet server drain emqx/emqx1 --cancel
`;

type DrainFlags = TaskFlags & { readonly until?: number };

/** `limpet server drain`: no more clients, and those that are there may be asked to leave at a pace. */
export function addServerDrain(parent: Command, finish: Finish): void {
  const command = withProxyOptions(parent.command('drain'))
    .description('no new clients, and returning ones are moved; with --rate it is emptied')
    .argument('<backend/server>', 'as limpet status lists it', serverName)
    .addOption(untilOption())
    .addHelpText('after', HELP)
    .action(async (ref: ServerName, flags: DrainFlags, self: Command) => finish(await drain(ref, flags, self)));
  withTaskOptions(command, 'drain');
}

async function drain(ref: ServerName, flags: DrainFlags, command: Command): Promise<number> {
  const order = orderOf(flags, command);
  if (order === null && flags.rate === undefined) return await onlyState(ref, flags, command);
  const proxy = runningProxy(flags);
  const until = flags.until ?? 0;
  if (order !== null) {
    const task = await giveOrder(proxy, order, { kind: 'drain', ...ref });
    return await followTask(proxy, task, { ...flags, wait: flags.wait === true && order === 'resume' }, until);
  }
  const body = { rate: flags.rate, until, ...(flags.reason === undefined ? {} : { reason: flags.reason }) };
  const task = await proxy.send<Task>('POST', path`/servers/${ref.backend}/${ref.server}/drain`, body);
  if (task.total === 0 && flags.json !== true) {
    const { proxies } = await proxy.get<{ readonly proxies: readonly Peer[] }>('/proxies');
    for (const line of drainElsewhere(proxies)) console.error(line);
  }
  return await followTask(proxy, task, flags, until);
}

async function onlyState(ref: ServerName, flags: DrainFlags, command: Command): Promise<number> {
  const wanting = (['until', 'reason'] as const).find(name => flags[name] !== undefined);
  const asked = wanting ?? (flags.wait === true ? 'wait' : undefined);
  if (asked !== undefined) command.error(`error: --${asked} needs a pace, add: --rate 200/s`);
  await putServer(ref, 'state', { state: 'drain' }, flags);
  return EXIT.ok;
}
