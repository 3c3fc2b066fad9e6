import { declineUpgrade, formatProblem, inShort, loadConfig, type RunningProxy, startProxy } from '@limpet/proxy';
import type { Command } from 'commander';
import { type ConfigFlags, type ReadConfig, readConfig, tellWarnings, withConfigOption } from '../configuration.ts';
import { EXIT, type Finish } from '../exit_code.ts';
import { type OtherSignal, OtherSignals, StopSignals } from '../signals.ts';

const HELP = `
It stays in the foreground and logs to stdout. SIGTERM or Ctrl-C: it stops accepting, lets sessions end for
global.hard_stop_after, then closes them. A second signal ends it at once. SIGHUP: it reads the configuration again and
goes over to it without closing a connection; a wrong one changes nothing, and the log says what is wrong. SIGUSR1: it
opens its log file anew. SIGUSR2: it starts the program anew, as it is on disk now, on the same listening sockets; when
that serves, this one stops accepting and drains. If it cannot serve, this one goes on, and the log says why.

Examples:
  limpet run -c limpet.yaml
  limpet run -c conf.d             all *.yaml and *.yml files of a folder, as one configuration
`;

/** `limpet run`: the proxy, in the foreground. */
export function addRun(program: Command, finish: Finish): void {
  withConfigOption(program.command('run'))
    .description('run the proxy')
    .addHelpText('after', HELP)
    .action(async (flags: ConfigFlags, command: Command) => {
      const read = readConfig(flags, command);
      if (read === null) await declineUpgrade(problemsOf(flags));
      finish(read === null ? EXIT.failed : await serve(read));
    });
}

/** Runs the proxy until a signal or a failure ends it, and answers with its exit code. */
async function serve({ config, warnings }: ReadConfig): Promise<number> {
  using others = new OtherSignals();
  tellWarnings(warnings);
  const proxy = await startProxy(config, warnings);
  others.tell(signal => answer(proxy, signal));
  using signals = new StopSignals(() => proxy.kill());
  void signals.first.then(() => proxy.stop());
  return await proxy.finished;
}

/** All of them have been told on stderr. */
function problemsOf({ config: [path] = [] }: ConfigFlags): string {
  const read = path === undefined ? null : loadConfig(path);
  if (path === undefined || read === null || read.ok) return 'its configuration is wrong';
  return inShort(read.problems.map(formatProblem), path);
}

function answer(proxy: RunningProxy, signal: OtherSignal): void {
  if (signal === 'SIGHUP') void proxy.reload();
  else if (signal === 'SIGUSR1') proxy.reopenLogs();
  else void proxy.upgrade();
}
