import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { LimpetError } from '@limpet/proxy';
import { type Command, Option } from 'commander';
import { path, query } from '../admin/admin_client.ts';
import { EXIT, type Finish } from '../exit_code.ts';
import { fileTrouble } from '../file_trouble.ts';
import { harmless, pour } from '../output/print.ts';
import { type ProxyFlags, runningProxy, withSocketOption } from '../running_proxy.ts';
import { type FilterFlags, filterQuery, withFilterOptions } from './table_filter.ts';

const HELP = `
The whole table as a stream, one entry a line: json is one object a line (NDJSON). With -o it is written beside the file and
renamed when it is whole, readable for its owner only.

Examples:
  limpet table export emqx | jq -r .server | sort | uniq -c
  limpet table export emqx --format csv -o emqx.csv
`;

type ExportFlags = ProxyFlags & FilterFlags & { readonly format: 'json' | 'csv'; readonly output?: string };

/** `limpet table export`: a whole table, to stdout or to a file. */
export function addTableExport(parent: Command, finish: Finish): void {
  const command = withSocketOption(parent.command('export'))
    .description('write a whole table to stdout or a file')
    .argument('<backend>', 'whose table')
    .addOption(new Option('--format <format>', 'one object a line, or CSV').choices(['json', 'csv']).default('json'))
    .option('-o, --output <file>', 'write it to this file; -: to stdout')
    .addHelpText('after', HELP)
    .action(async (backend: string, flags: ExportFlags) => {
      const asked = query({ ...filterQuery(flags), format: flags.format });
      const entries = runningProxy(flags).stream(path`/table/${backend}/export` + asked);
      if (flags.output !== undefined && flags.output !== '-') await writeWhole(entries, flags.output);
      else await pour(process.stdout.isTTY ? harmless(entries) : entries, process.stdout);
      finish(EXIT.ok);
    });
  withFilterOptions(command);
}

/** The file is whole, or as it was. @throws LimpetError FILE_NOT_WRITTEN, and what the entries throw */
async function writeWhole(entries: AsyncIterable<Buffer>, file: string): Promise<void> {
  const beside = `${file}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    await pipeline(entries, createWriteStream(beside, { flags: 'wx', mode: 0o600, flush: true }));
    await rename(beside, file);
  } catch (error) {
    await rm(beside, { force: true });
    if (error instanceof LimpetError) throw error;
    throw new LimpetError(
      'FILE_NOT_WRITTEN',
      `${file} cannot be written: ${fileTrouble(error)}`,
      'Name a file in a folder that exists, where you may write and there is room.',
    );
  }
}
