import { open } from 'node:fs/promises';
import { LimpetError } from '@limpet/proxy';
import { type Command, Option } from 'commander';
import { path, query } from '../admin/admin_client.ts';
import type { Imported } from '../admin/facts.ts';
import { EXIT, type Finish } from '../exit_code.ts';
import { fileTrouble } from '../file_trouble.ts';
import { count, counted } from '../output/numbers.ts';
import { printable, printJson } from '../output/print.ts';
import { type ProxyFlags, runningProxy, withProxyOptions } from '../running_proxy.ts';

const HELP = `
Entries as limpet table export wrote them; - is stdin. Entries of live sessions are never overwritten. Lines that are wrong are
told on stderr and left out, exit code ${EXIT.failed}.

Examples:
  limpet table import emqx emqx.ndjson
  ssh lb1 limpet table export emqx | limpet table import emqx -
`;

type ImportFlags = ProxyFlags & { readonly format?: 'json' | 'csv' };

/** `limpet table import`: writes exported entries into a table. */
export function addTableImport(parent: Command, finish: Finish): void {
  withProxyOptions(parent.command('import'))
    .description('write exported entries into a table')
    .argument('<backend>', 'whose table')
    .argument('<file>', 'the file, or - for stdin')
    .addOption(
      new Option('--format <format>', 'default: csv where the file is named so, else json').choices(['json', 'csv']),
    )
    .addHelpText('after', HELP)
    .action(async (backend: string, file: string, flags: ImportFlags) =>
      finish(await importFile(backend, file, flags)),
    );
}

async function importFile(backend: string, file: string, flags: ImportFlags): Promise<number> {
  const format = flags.format ?? (file.endsWith('.csv') ? 'csv' : 'json');
  const target = path`/table/${backend}/import` + query({ format });
  const report = await runningProxy(flags).upload<Imported>(target, await linesOf(file));
  if (flags.json) printJson(report);
  else for (const line of importLines(report)) console.log(line);
  for (const error of report.errors) console.error(printable(error));
  return report.errors.length === 0 ? EXIT.ok : EXIT.failed;
}

/** What an import did, for people. */
export function importLines({ read, written, kept }: Imported): string[] {
  const live = kept === 0 ? '' : `, ${count(kept)} left as they are: their clients are connected`;
  const wrong = read - written - kept;
  return [
    `${counted(read, 'entry', 'entries')} read, ${count(written)} written${live}${wrong > 0 ? `, ${count(wrong)} wrong` : ''}`,
  ];
}

async function linesOf(file: string): Promise<AsyncIterable<Buffer>> {
  if (file === '-') return process.stdin;
  try {
    const opened = await open(file);
    if (!(await opened.stat()).isDirectory()) return opened.createReadStream();
    await opened.close();
    throw Object.assign(new Error(), { code: 'EISDIR' });
  } catch (error) {
    const what = `${file} cannot be read: ${fileTrouble(error)}`;
    throw new LimpetError('FILE_NOT_READ', what, 'Name a file that was exported.');
  }
}
