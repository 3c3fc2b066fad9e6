import { realpathSync } from 'node:fs';
import { LimpetError } from '@limpet/proxy';
import type { Command } from 'commander';
import type { AdminClient } from '../admin/admin_client.ts';
import type { Info, Reloaded } from '../admin/facts.ts';
import { readConfig } from '../configuration.ts';
import { EXIT, type Finish } from '../exit_code.ts';
import { printJson, shown } from '../output/print.ts';
import { type ProxyFlags, runningProxy, WHERE_HELP, withProxyOptions } from '../running_proxy.ts';

const HELP = `
The proxy reads the configuration again that it was started with, and goes over to it without closing a connection. What
changed is printed. A wrong file changes nothing: every problem goes to stderr, exit code ${EXIT.failed}. With -c the file is checked
here first, and must be the one that the proxy was started with.
${WHERE_HELP}
Examples:
  limpet reload
  limpet reload -c /etc/limpet/limpet.yaml
`;

/** `limpet reload`: asks the running proxy to read its configuration again. */
export function addReload(program: Command, finish: Finish): void {
  withProxyOptions(program.command('reload'))
    .description('have the running proxy read its configuration again')
    .addHelpText('after', HELP)
    .action(async (flags: ProxyFlags, command: Command) => finish(await reload(flags, command)));
}

async function reload(flags: ProxyFlags, command: Command): Promise<number> {
  // A file with problems does not say which proxy is meant; the problems are what is wanted to be known anyway.
  if (flags.config !== undefined && readConfig({ config: [flags.config] }, command) === null) return EXIT.failed;
  const proxy = runningProxy(flags);
  if (flags.config !== undefined) await mustBeItsFile(proxy, flags.config);
  const report = await proxy.send<Reloaded>('POST', '/reload');
  if (flags.json) printJson(report);
  else for (const line of reloadLines(report)) console.log(line);
  for (const problem of report.problems) console.error(lines(problem));
  if (!flags.json) for (const warning of report.warnings) console.error(`warning: ${lines(warning)}`);
  if (!report.ok) console.error('limpet: the proxy goes on with the configuration that it had');
  return report.ok ? EXIT.ok : EXIT.failed;
}

/** What a reload did, for people. */
export function reloadLines({ ok, changes, needs_restart: later }: Reloaded): string[] {
  if (!ok) return [];
  const done = changes.length === 0 && later.length === 0 ? ['nothing has changed'] : changes;
  return [...done.map(shown), ...later.map(what => `not in place: ${shown(what)}`)];
}

/** A problem has a line of its own for what would be right. */
function lines(problem: string): string {
  return problem.split('\n').map(shown).join('\n');
}

/** @throws LimpetError OTHER_FILE */
async function mustBeItsFile(proxy: AdminClient, path: string): Promise<void> {
  const { config_path: running } = await proxy.get<Info>('/info');
  if (real(running) === real(path)) return;
  throw new LimpetError(
    'OTHER_FILE',
    `the proxy was started with ${running}, and reads that again, not ${path}`,
    'Change that file, or restart the proxy with the other one.',
  );
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
