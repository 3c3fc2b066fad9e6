import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { path, query } from '../admin/admin_client.ts';
import { EXIT, type Finish } from '../exit_code.ts';
import { counted } from '../output/numbers.ts';
import { printable, printJson } from '../output/print.ts';
import { type ProxyFlags, runningProxy, withProxyOptions } from '../running_proxy.ts';
import { type FilterFlags, filterQuery, hasFilter, withFilterOptions } from './table_filter.ts';

const HELP = `
Clients whose entry is gone are placed anew when they come back. Entries of clients that are connected here are there again
at once; those of clients of other proxies come back with their next renewal. The whole table is cleared only with --yes, or after a question on a terminal.

Examples:
  limpet table clear emqx sensor-0815
  limpet table clear emqx --server emqx1
  limpet table clear emqx --yes
`;

type ClearFlags = ProxyFlags & FilterFlags & { readonly yes?: true };

/** `limpet table clear`: removes one entry, those that match, or all. */
export function addTableClear(parent: Command, finish: Finish): void {
  const command = withProxyOptions(parent.command('clear'))
    .description('remove one entry, those that match, or all')
    .argument('<backend>', 'whose table')
    .argument('[key]', 'only this one')
    .option('--yes', 'the whole table, without a question')
    .addHelpText('after', HELP)
    .action(async (backend: string, key: string | undefined, flags: ClearFlags, self: Command) =>
      finish(key === undefined ? await clear(backend, flags, self) : await clearKey(backend, key, flags, self)),
    );
  withFilterOptions(command);
}

async function clearKey(backend: string, key: string, flags: ClearFlags, command: Command): Promise<number> {
  if (hasFilter(flags)) command.error('error: a key names one entry: leave out --server, --state and --contains');
  const done = await runningProxy(flags).send('DELETE', path`/table/${backend}/${key}`);
  if (flags.json) printJson(done);
  else console.log(`${printable(key)} is removed; if its client is connected, its entry is there again`);
  return EXIT.ok;
}

async function clear(backend: string, flags: ClearFlags, command: Command): Promise<number> {
  if (!hasFilter(flags) && flags.yes !== true && !(await isSure(backend, command))) {
    console.error('nothing was removed');
    return EXIT.failed;
  }
  const target = path`/table/${backend}` + query(filterQuery(flags));
  const answer = await runningProxy(flags).send<{ readonly removed: number }>('DELETE', target);
  if (flags.json) printJson(answer);
  else console.log(removedText(answer.removed));
  return EXIT.ok;
}

function removedText(removed: number): string {
  const what = `${counted(removed, 'entry', 'entries')} removed`;
  return removed === 0 ? what : `${what}; those of connected clients are there again`;
}

async function isSure(backend: string, command: Command): Promise<boolean> {
  if (!process.stdin.isTTY)
    command.error(`error: this would clear the whole table of ${backend}, add --yes if it shall`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const gone = new AbortController();
  // Ctrl-C and Ctrl-D are no yes.
  terminal.once('close', () => gone.abort());
  try {
    const said = await terminal.question(`Clear the whole table of ${backend}? [y/N] `, { signal: gone.signal });
    return /^y(es)?$/i.test(said.trim());
  } catch {
    return false;
  } finally {
    terminal.close();
  }
}
