import { Argument, type Command } from 'commander';
import type { PlaceFlags } from '../admin/address.ts';
import type { Backend } from '../admin/facts.ts';
import { bashCompletion } from '../completion/bash.ts';
import { fishCompletion } from '../completion/fish.ts';
import { type CommandSpot, NAME_KINDS, type NameKind, spotsOf } from '../completion/tree.ts';
import { zshCompletion } from '../completion/zsh.ts';
import { EXIT, type Finish } from '../exit_code.ts';
import { runningProxy, withSocketOption } from '../running_proxy.ts';

const HELP = `
Commands and options come from this program, names of servers and backends from the running proxy.

Examples:
  bash:  source <(limpet completion bash)         in ~/.bashrc
  zsh:   source <(limpet completion zsh)          in ~/.zshrc, behind compinit
  fish:  limpet completion fish | source          in ~/.config/fish/config.fish
`;

const SHELLS: Readonly<Record<string, (spots: readonly CommandSpot[]) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

/** What no shell takes for anything else: bash expands what it is given. */
const PLAIN = /^[\w.:/@+-]+$/;
/** Whoever pressed Tab does not wait. */
const NAMES_MS = 1_000;

/** `limpet completion`: scripts that complete its command line. */
export function addCompletion(program: Command, finish: Finish): void {
  program
    .command('completion')
    .description('print the script that completes the command line in your shell')
    .addArgument(new Argument('<shell>', 'your shell').choices(Object.keys(SHELLS)))
    .addHelpText('after', HELP)
    .action((shell: string) => {
      // All commands are there by now.
      console.log(SHELLS[shell]?.(spotsOf(program)));
      finish(EXIT.ok);
    });
  addNames(program, finish);
}

/** What the scripts ask: names, a line each, and nothing where nobody answers. */
function addNames(program: Command, finish: Finish): void {
  withSocketOption(program.command('completion-names', { hidden: true }))
    .addArgument(new Argument('<kind>').choices(NAME_KINDS))
    .action(async (kind: NameKind, flags: PlaceFlags) => {
      for (const name of await names(kind, flags)) console.log(name);
      finish(EXIT.ok);
    });
}

async function names(kind: NameKind, flags: PlaceFlags): Promise<readonly string[]> {
  try {
    const [answer] = await runningProxy(flags).all([{ method: 'GET', path: '/backends' }], NAMES_MS);
    return namesOf(kind, (answer as { readonly backends: readonly Backend[] }).backends).filter(name =>
      PLAIN.test(name),
    );
  } catch {
    return [];
  }
}

function namesOf(kind: NameKind, backends: readonly Backend[]): readonly string[] {
  if (kind === 'backends') return backends.map(({ name }) => name);
  const all = backends.flatMap(({ servers }) => servers);
  return kind === 'servers'
    ? all.map(({ backend, name }) => `${backend}/${name}`)
    : [...new Set(all.map(({ name }) => name))];
}
