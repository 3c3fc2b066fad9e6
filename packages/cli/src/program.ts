import { LimpetError } from '@limpet/proxy';
import { Command, CommanderError } from 'commander';
import { addCheck } from './commands/check.ts';
import { addClient } from './commands/client.ts';
import { addCompletion } from './commands/completion.ts';
import { addDemo } from './commands/demo.ts';
import { addDoctor } from './commands/doctor.ts';
import { addKeepalived } from './commands/keepalived.ts';
import { addPassword } from './commands/password.ts';
import { addRebalance } from './commands/rebalance.ts';
import { addReload } from './commands/reload.ts';
import { addRun } from './commands/run.ts';
import { addRuntime } from './commands/runtime.ts';
import { addServer } from './commands/server.ts';
import { addStatus } from './commands/status.ts';
import { addTable } from './commands/table.ts';
import { addTop } from './commands/top.ts';
import { addVip } from './commands/vip.ts';
import { EXIT, type Finish } from './exit_code.ts';
import { programVersion } from './version.ts';

const EPILOGUE = `
Exit codes:
  ${EXIT.ok}  done, or stopped by its user
  ${EXIT.failed}  could not be done: wrong configuration, port in use, no proxy runs, …
  ${EXIT.usage}  wrong command line; nothing was started

Examples:
  limpet demo                      three brokers and a proxy, to look at
  limpet check -c limpet.yaml      is this configuration right?
  limpet run -c limpet.yaml        serve
  limpet status                    how does it stand?
  limpet top                       the same, live
  limpet server drain emqx/emqx1 --rate 200/s
`;

/**
 * The whole program: runs the command that `args` name (without node and the script) and answers with the exit code.
 * Never throws.
 */
export async function main(args: readonly string[]): Promise<number> {
  let exitCode: number = EXIT.ok;
  const program = commandTree(code => {
    exitCode = code;
  });
  try {
    // Every second program has it small.
    await program.parseAsync(args[0] === '-v' ? ['-V'] : [...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    return report(error);
  }
}

function commandTree(finish: Finish): Command {
  const program = new Command('limpet')
    .description('A load balancer for MQTT that brings every client home to the broker that holds its session.')
    .version(programVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .showSuggestionAfterError(true)
    // What the commands inherit; the program's own follows below.
    .showHelpAfterError('(add --help to see how it is used)')
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(plainly(text)) })
    .addHelpText('after', EPILOGUE);
  program.commandsGroup('Serve:');
  for (const add of [addRun, addCheck, addDemo]) add(program, finish);
  program.commandsGroup('Look at a running proxy:');
  for (const add of [addStatus, addTop, addClient, addTable]) add(program, finish);
  program.commandsGroup('Operate it:');
  for (const add of [addServer, addRebalance, addReload, addRuntime]) add(program, finish);
  program.commandsGroup('Besides:');
  for (const add of [addDoctor, addKeepalived, addVip, addPassword, addCompletion]) add(program, finish);
  program.helpCommand('help [command]', 'show how a command is used');
  for (const command of [...program.commands, program].filter(({ commands }) => commands.length > 0)) {
    command.showHelpAfterError(`(commands: ${visibleNames(command)}; add --help to see how they are used)`);
  }
  return program;
}

/** What people typed, without commander's words for it. */
function plainly(text: string): string {
  return text.replace(
    /^error: command-argument value '(.*)' is invalid for argument '(.*)'\. (?:It must be )?(.*?)\.?$/ms,
    (_, said, name, what) => `error: '${said}' is no ${name}: ${what}`,
  );
}

function visibleNames(command: Command): string {
  const shown = command.createHelp().visibleCommands(command);
  return shown.flatMap(one => (one.name() === 'help' ? [] : [one.name()])).join(', ');
}

/** In the log remedies stand behind a semicolon; here they stand alone. Commands and names stay as they are written. */
function sentence(remedy: string): string {
  const begun = /^(limpet |[a-z]+[._:]|`)/.test(remedy) ? remedy : remedy.charAt(0).toUpperCase() + remedy.slice(1);
  return /[\p{L}\d`)]$/u.test(begun) ? `${begun}.` : begun;
}

/** Tells the user what went wrong, and answers with the exit code for it. */
function report(error: unknown): number {
  // Commander has printed its message already. Help and version that were asked for end this way too, with code 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof LimpetError)
    console.error(`limpet: ${error.message}\n  ${sentence(error.remedy)} (${error.code})`);
  else console.error('limpet: this is a fault of the program, please report it:', error);
  return EXIT.failed;
}
