import { LimpetError } from '@limpet/proxy';
import { type Command, Option } from 'commander';
import { type AdminClient, path } from './admin/admin_client.ts';
import type { Task } from './admin/facts.ts';
import { rate, whole } from './arguments.ts';
import { EXIT } from './exit_code.ts';
import { printJson } from './output/print.ts';
import type { ProxyFlags } from './running_proxy.ts';
import { taskLine } from './status_text.ts';
import { endText, taskTarget } from './task_progress.ts';
import { watchTask } from './task_watch.ts';

/** What drain and rebalance have in common. */
export interface TaskFlags extends ProxyFlags {
  readonly rate?: number;
  readonly reason?: string;
  readonly wait?: boolean;
  readonly pause?: true;
  readonly resume?: true;
  readonly cancel?: true;
}

const ORDERS = ['pause', 'resume', 'cancel'] as const;
export type TaskOrder = (typeof ORDERS)[number];

export function withTaskOptions(command: Command, kind: Task['kind']): Command {
  return command
    .addOption(new Option('--rate <rate>', 'sessions a second that are asked to leave: 200/s').argParser(rate))
    .addOption(
      new Option('--reason <word>', 'what MQTT 5.0 clients are told (default: use_another_server)').choices([
        'use_another_server',
        'administrative_action',
      ]),
    )
    .option('--wait', 'show how it goes on until it ends (default on a terminal)')
    .option('--no-wait', 'only begin it')
    .option('--pause', `ask nobody more to leave for now`)
    .option('--resume', `go on with a paused ${kind}`)
    .option('--cancel', kind === 'drain' ? 'take it back: the server becomes ready' : 'take it back');
}

export const untilOption = (): Option =>
  new Option('--until <sessions>', 'stop when so many are left (default: 0)').argParser(whole(0, 1_000_000_000));

/** Which of --pause, --resume and --cancel was said; each other flag beside it is a mistake. */
export function orderOf(
  flags: TaskFlags & { readonly until?: number; readonly threshold?: number },
  command: Command,
): TaskOrder | null {
  const [order, second] = ORDERS.filter(name => flags[name] === true);
  if (order === undefined) return null;
  if (second !== undefined) command.error(`error: --${order} and --${second} exclude each other`);
  for (const name of ['rate', 'until', 'reason', 'threshold'] as const) {
    if (flags[name] !== undefined) {
      command.error(
        `error: --${name} is for a new task; --${order} is for the one that runs: cancel it, then begin anew`,
      );
    }
  }
  return order;
}

export interface Target {
  readonly kind: Task['kind'];
  readonly backend: string;
  readonly server: string | null;
}

/** Pauses, resumes or takes back the task of that target. @throws LimpetError UNKNOWN_TASK */
export async function giveOrder(proxy: AdminClient, order: TaskOrder, target: Target): Promise<Task> {
  const { tasks } = await proxy.get<{ readonly tasks: readonly Task[] }>('/tasks');
  const task = tasks.find(
    ({ kind, backend, server, state }) =>
      kind === target.kind &&
      backend === target.backend &&
      server === target.server &&
      (state === 'running' || state === 'paused'),
  );
  if (task !== undefined) return await proxy.send<Task>('POST', path`/tasks/${String(task.id)}/${order}`);
  const what = `no ${target.kind} of ${taskTarget(target)} is under way`;
  throw new LimpetError('UNKNOWN_TASK', what, 'limpet status lists those that are.');
}

/** Shows what was begun, and how it goes on where that is wanted. Answers the exit code. */
export async function followTask(proxy: AdminClient, begun: Task, flags: TaskFlags, until: number): Promise<number> {
  const isTerminal = process.stdout.isTTY === true && flags.json !== true;
  if (!(flags.wait ?? isTerminal)) {
    if (flags.json) printJson(begun);
    else console.log(taskLine(begun, Date.now()));
    return EXIT.ok;
  }
  const ended = await watchTask(proxy, begun, { until, out: flags.json ? null : process.stdout });
  if (ended === null) {
    const again = begun.kind === 'drain' ? 'server drain' : 'rebalance';
    console.error(
      `the ${begun.kind} goes on; to stop it: limpet ${again} ${taskTarget(begun)} --pause, or --cancel to take it back`,
    );
    return EXIT.ok;
  }
  if (flags.json) printJson(ended);
  else console.log(endText(ended));
  return ended.state === 'done' ? EXIT.ok : EXIT.failed;
}
