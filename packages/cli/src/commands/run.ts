import { type Config, startProxy } from '@limpet/proxy';
import type { Command } from 'commander';
import { type ConfigFlags, readConfig, withConfigOption } from '../configuration.ts';
import { EXIT, type Finish } from '../exit_code.ts';
import { OtherSignals, StopSignals } from '../signals.ts';

const HELP = `
It stays in the foreground and logs to stdout. SIGTERM or Ctrl-C: it stops accepting, lets sessions end for
global.hard_stop_after, then closes them. A second signal ends it at once.

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
      const config = readConfig(flags, command);
      finish(config === null ? EXIT.failed : await serve(config));
    });
}

/** Runs the proxy until a signal or a failure ends it, and answers with its exit code. */
async function serve(config: Config): Promise<number> {
  using others = new OtherSignals();
  const proxy = await startProxy(config);
  others.tell(signal => proxy.ignored(signal));
  using signals = new StopSignals(() => proxy.kill());
  void signals.first.then(() => proxy.stop());
  return await proxy.finished;
}
