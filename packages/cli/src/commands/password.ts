import { hashPassword, LimpetError } from '@limpet/proxy';
import type { Command } from 'commander';
import { EXIT, type Finish } from '../exit_code.ts';
import { askHidden, stdinText } from '../terminal_input.ts';

const HELP = `
What it prints goes into the configuration, as password of a user in global.stats.users. The password itself is shown and
stored nowhere. On a terminal it is asked for twice; else it is the text on stdin.

Examples:
  limpet password
  pass show limpet/admin | limpet password
`;

/** Longer ones are no passwords; the page's log-in could not send them. */
const LONGEST = 1_024;

/** `limpet password`: the hash of a password, for the configuration. */
export function addPassword(program: Command, finish: Finish): void {
  program
    .command('password')
    .description('hash a password for global.stats.users')
    .addHelpText('after', HELP)
    .action(async () => {
      const password = process.stdin.isTTY ? await askTwice() : await stdinText();
      if (password === null) return finish(EXIT.failed);
      console.log(await hashPassword(checked(password)));
      finish(EXIT.ok);
    });
}

async function askTwice(): Promise<string | null> {
  const first = await askHidden('Password: ');
  if (first === null) return null;
  const second = await askHidden('Again: ');
  if (second === null || first === second) return second;
  throw new LimpetError('PASSWORDS_DIFFER', 'the two are not the same', 'Type the same password twice.');
}

function checked(password: string): string {
  const isWhole = !/[\r\n\0]/.test(password);
  if (password !== '' && isWhole && password.length <= LONGEST) return password;
  const what = password === '' ? 'it is empty' : isWhole ? 'it is too long' : 'it has more than one line';
  throw new LimpetError('BAD_PASSWORD', `this is no password: ${what}`, `Give 1 to ${LONGEST} characters on one line.`);
}
