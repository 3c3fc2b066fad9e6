import type { Command } from 'commander';
import type { PlaceFlags } from '../admin/address.ts';
import { EXIT, type Finish } from '../exit_code.ts';
import { harmless, pour } from '../output/print.ts';
import { runningProxy, WHERE_HELP, withSocketOption } from '../running_proxy.ts';

const HELP = `
As socat would: the command as HAProxy writes it, several with a semicolon between them, and the answer as it comes. A
command that ends with << takes its lines from stdin. Exit code ${EXIT.failed} where the proxy says that it does not know the command, or
that it is not allowed on this socket.
${WHERE_HELP}
Examples:
  limpet runtime help
  limpet runtime "show table emqx"
  limpet runtime "show info; show stat json"
`;

/** `limpet runtime`: a command of the runtime API. */
export function addRuntime(program: Command, finish: Finish): void {
  withSocketOption(program.command('runtime'))
    .description('say a command of the runtime API, in HAProxy’s words')
    .argument('<command...>', 'such as "show info"')
    .addHelpText('after', HELP)
    .action(async (words: readonly string[], flags: PlaceFlags, command: Command) => {
      const line = words.join(' ').trim();
      if (line === '' || /[\r\n]/.test(line)) command.error('error: the command must be one line, such as "show info"');
      finish(await say(line, flags));
    });
}

async function say(line: string, flags: PlaceFlags): Promise<number> {
  const payload = line.endsWith('<<') ? process.stdin : undefined;
  const refusals = new RefusalSpotter();
  const answer = refusals.watch(runningProxy(flags).command(line, payload));
  await pour(process.stdout.isTTY ? harmless(answer) : answer, process.stdout);
  return refusals.wasRefused ? EXIT.failed : EXIT.ok;
}

const REFUSALS = ['Unknown command', 'Permission denied'] as const;
const LONGEST = Math.max(...REFUSALS.map(text => text.length));

/** Sees whether an answer, the first one or one behind an empty line, begins with a refusal. */
export class RefusalSpotter {
  wasRefused = false;
  /** What stands at the end of what was seen, with two line ends before the very first. */
  #last = '\n\n';

  async *watch(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      const text = this.#last + chunk.toString('latin1');
      if (REFUSALS.some(refusal => text.includes(`\n\n${refusal}`))) this.wasRefused = true;
      this.#last = text.slice(-(LONGEST + 2));
      yield chunk;
    }
  }
}
