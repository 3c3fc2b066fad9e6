import { type Command, InvalidArgumentError } from 'commander';
import { EXIT, type Finish } from '../exit_code.ts';

/** So many clients of its own does the demo connect at most; it is a demo, not a load generator. */
const MOST_CLIENTS = 1000;

const HELP = `
Three MQTT 3.1.1 brokers in this process that share their sessions and messages, and a proxy with a memory table in front
of them. All on 127.0.0.1. Ctrl-C ends everything.

With --clients it also connects clients, shows where each landed, disconnects them all, and shows that each one came
home. If one did not, the exit code is ${EXIT.failed}.

Examples:
  limpet demo
  limpet demo --clients 30
  limpet demo --port 2883 --verbose
`;

interface DemoFlags {
  readonly clients: number;
  readonly port: number;
  readonly verbose: boolean;
}

/** `limpet demo`: brokers, proxy and clients in one command, to look at. */
export function addDemo(program: Command, finish: Finish): void {
  program
    .command('demo')
    .description('run three small brokers with a proxy in front of them, to look at')
    .option('--clients <n>', `connect so many clients, at most ${MOST_CLIENTS}`, wholeNumber(MOST_CLIENTS), 0)
    .option('--port <port>', 'where the proxy listens; the next free port if it is taken', wholeNumber(65535), 1883)
    .option('--verbose', "show all of the proxy's log lines", false)
    .addHelpText('after', HELP)
    .action(async (flags: DemoFlags) => {
      // The brokers and the client library are needed by this command only.
      const { runDemo } = await import('../demo/demo.ts');
      finish(await runDemo(flags));
    });
}

function wholeNumber(most: number): (text: string) => number {
  return text => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value <= most) return value;
    throw new InvalidArgumentError(`It must be a whole number from 0 to ${most}.`);
  };
}
