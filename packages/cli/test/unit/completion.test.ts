import { Argument, Command, Option } from 'commander';
import { describe, expect, it } from 'vitest';
import { bashCompletion } from '../../src/completion/bash.ts';
import { fishCompletion } from '../../src/completion/fish.ts';
import { quoted } from '../../src/completion/shell_tables.ts';
import { spotsOf } from '../../src/completion/tree.ts';
import { zshCompletion } from '../../src/completion/zsh.ts';

function program(): Command {
  const tree = new Command('limpet').description("it's");
  const server = tree.command('server').description('servers');
  server
    .command('drain')
    .description("don't")
    .argument('<backend/server>')
    .addOption(new Option('--reason <word>').choices(['a', 'b']))
    .option('-o, --output <file>')
    .option('--json');
  tree.command('hidden', { hidden: true });
  tree.command('completion').addArgument(new Argument('<shell>').choices(['bash', 'zsh']));
  return tree;
}

describe('what may stand where', () => {
  it('is what the help shows', () => {
    const spots = spotsOf(program());
    expect(spots.map(({ path }) => path)).toEqual(['', 'server', 'server drain', 'completion']);
    const drain = spots[2];
    expect(drain?.args).toEqual([{ kind: 'names', names: 'servers' }]);
    expect(drain?.options.map(({ flags, value }) => [flags, value])).toEqual([
      [['--reason'], { kind: 'words', words: ['a', 'b'] }],
      [['-o', '--output'], { kind: 'file' }],
      [['--json'], null],
      [['-h', '--help'], null],
    ]);
    expect(spots[3]?.args).toEqual([{ kind: 'words', words: ['bash', 'zsh'] }]);
  });

  it('is in each script', () => {
    const spots = spotsOf(program());
    for (const script of [bashCompletion(spots), zshCompletion(spots)]) {
      expect(script).toContain("'server drain 0') echo 'names servers' ;;");
      expect(script).toContain("'server drain -o'|'server drain --output') echo 'file' ;;");
      expect(script).toContain("'completion 0') echo 'words bash zsh' ;;");
      expect(script).not.toContain('hidden');
    }
    const fish = fishCompletion(spots);
    expect(fish).toContain(`-n '__limpet_at '\\''server'\\''' -a 'drain' -d 'don'\\''t'`);
    expect(fish).toContain(`-l reason`);
  });

  it('is quoted for every shell', () => {
    expect(quoted("it's $x")).toBe("'it'\\''s $x'");
  });
});
