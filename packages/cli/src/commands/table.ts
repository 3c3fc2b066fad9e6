import { type Command, Option } from 'commander';
import { type AdminClient, path, query } from '../admin/admin_client.ts';
import type { Entry, TablePage } from '../admin/facts.ts';
import { whole } from '../arguments.ts';
import { EXIT, type Finish } from '../exit_code.ts';
import { columns } from '../output/columns.ts';
import { count, counted } from '../output/numbers.ts';
import { printable, printJson, printLines } from '../output/print.ts';
import { type ProxyFlags, runningProxy, WHERE_HELP, withProxyOptions } from '../running_proxy.ts';
import { entryLines } from '../session_text.ts';
import { addTableClear } from './table_clear.ts';
import { addTableExport } from './table_export.ts';
import { type FilterFlags, filterQuery, withFilterOptions } from './table_filter.ts';
import { addTableImport } from './table_import.ts';

const HELP = `${WHERE_HELP}
Examples:
  limpet table show                           which tables there are, and how full
  limpet table show emqx --server emqx1
  limpet table get emqx sensor-0815
  limpet table set emqx sensor-0815 emqx2     its home, by hand
  limpet table clear emqx sensor-0815
  limpet table export emqx -o emqx.ndjson
  limpet table import emqx emqx.ndjson
`;

/** What one answer of the proxy may hold. */
const PAGE = 1_000;
/** A listing for people; whoever wants more exports it. */
const MOST_SHOWN = 100_000;

/** `limpet table`: the stick tables. */
export function addTable(program: Command, finish: Finish): void {
  const table = program
    .command('table')
    .description('look at the stick tables and change them, export and import them')
    .addHelpText('after', HELP);
  addShow(table, finish);
  addGet(table, finish);
  addSet(table, finish);
  addTableClear(table, finish);
  addTableExport(table, finish);
  addTableImport(table, finish);
}

type ShowFlags = ProxyFlags & FilterFlags & { readonly limit: number };

function addShow(parent: Command, finish: Finish): void {
  const command = withProxyOptions(parent.command('show'))
    .description('entries of a table, in no order; without a backend: which tables there are')
    .argument('[backend]', 'whose table')
    .addOption(
      new Option('--limit <entries>', `at most so many, up to ${MOST_SHOWN}`)
        .argParser(whole(1, MOST_SHOWN))
        .default(100),
    )
    .addHelpText('after', '\nExamples:\n  limpet table show\n  limpet table show emqx --state pinned --limit 1000\n')
    .action(async (backend: string | undefined, flags: ShowFlags) => {
      const proxy = runningProxy(flags);
      if (backend === undefined) await showTables(proxy, flags);
      else await showEntries(proxy, backend, flags);
      finish(EXIT.ok);
    });
  withFilterOptions(command);
}

async function showTables(proxy: AdminClient, flags: ProxyFlags): Promise<void> {
  interface Tables {
    readonly tables: readonly { readonly backend: string; readonly used: number }[];
  }
  const answer = await proxy.get<Tables>('/table');
  if (flags.json) return printJson(answer);
  if (answer.tables.length === 0) return console.log('no backend has a stick table');
  const rows = answer.tables.map(({ backend, used }) => [backend, count(used)]);
  printLines(columns([{ title: 'BACKEND' }, { title: 'ENTRIES', align: 'right' }], rows));
}

async function showEntries(proxy: AdminClient, backend: string, flags: ShowFlags): Promise<void> {
  const { entries, next } = await pages(proxy, backend, flags);
  if (flags.json) return printJson({ entries, next });
  printLines(entryLines(entries));
  if (next === null) return;
  const shown = counted(entries.length, 'entry', 'entries');
  console.error(`there are more than these ${shown}: --limit N shows more, limpet table export ${backend} all`);
}

/** Page after page until there are enough. */
async function pages(proxy: AdminClient, backend: string, flags: ShowFlags): Promise<TablePage> {
  const entries: Entry[] = [];
  let cursor: string | null = null;
  do {
    const limit = Math.min(PAGE, flags.limit - entries.length);
    const asked = query({ ...filterQuery(flags), limit, cursor: cursor ?? undefined });
    const page: TablePage = await proxy.get<TablePage>(path`/table/${backend}` + asked);
    entries.push(...page.entries);
    cursor = page.next;
  } while (cursor !== null && entries.length < flags.limit);
  return { entries, next: cursor };
}

function addGet(parent: Command, finish: Finish): void {
  withProxyOptions(parent.command('get'))
    .description('one entry; exit code 1: there is none')
    .argument('<backend>', 'whose table')
    .argument('<key>', 'such as a client id')
    .addHelpText('after', '\nExample:\n  limpet table get emqx sensor-0815\n')
    .action(async (backend: string, key: string, flags: ProxyFlags) => {
      const entry = await runningProxy(flags).get<Entry>(path`/table/${backend}/${key}`);
      if (flags.json) printJson(entry);
      else printLines(entryLines([entry]));
      finish(EXIT.ok);
    });
}

function addSet(parent: Command, finish: Finish): void {
  withProxyOptions(parent.command('set'))
    .description('say by hand where the home of a key is')
    .argument('<backend>', 'whose table')
    .argument('<key>', 'such as a client id')
    .argument('<server>', 'its home')
    .addHelpText('after', '\nExample:\n  limpet table set emqx sensor-0815 emqx2\n')
    .action(async (backend: string, key: string, server: string, flags: ProxyFlags) => {
      const done = await runningProxy(flags).send('PUT', path`/table/${backend}/${key}`, { server });
      if (flags.json) printJson(done);
      else console.log(`${printable(key)} is at home on ${backend}/${server}`);
      finish(EXIT.ok);
    });
}
