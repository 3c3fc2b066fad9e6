import { LimpetError } from '@limpet/proxy';
import { Command, CommanderError } from 'commander';
import { addCheck } from './commands/check.ts';
import { addDemo } from './commands/demo.ts';
import { addLater } from './commands/later.ts';
import { addRun } from './commands/run.ts';
import { EXIT, type Finish } from './exit_code.ts';
import { programVersion } from './version.ts';

const EPILOGUE = `
Exit codes:
  ${EXIT.ok}  done, or stopped by its user
  ${EXIT.failed}  could not be done: wrong configuration, port in use, …
  ${EXIT.usage}  wrong command line; nothing was started

Examples:
  limpet demo                      three brokers and a proxy, to look at
  limpet check -c limpet.yaml      is this configuration right?
  limpet run -c limpet.yaml        serve
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
    .addHelpText('after', EPILOGUE);
  addRun(program, finish);
  addCheck(program, finish);
  addDemo(program, finish);
  const commands = program.commands.map(command => command.name()).join(', ');
  addLater(program);
  return program.showHelpAfterError(`(commands: ${commands}; add --help to see how they are used)`);
}

/** Tells the user what went wrong, and answers with the exit code for it. */
function report(error: unknown): number {
  // Commander has printed its message already. Help and version that were asked for end this way too, with code 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof LimpetError) console.error(`limpet: ${error.message}\n  ${error.remedy} (${error.code})`);
  else console.error('limpet: this is a fault of the program, please report it:', error);
  return EXIT.failed;
}
