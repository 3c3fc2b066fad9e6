import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { main } from '../../src/program.ts';

interface Written {
  stdout: string;
  stderr: string;
}

const written: Written = { stdout: '', stderr: '' };

beforeEach(() => {
  written.stdout = '';
  written.stderr = '';
  for (const name of ['stdout', 'stderr'] as const) {
    vi.spyOn(process[name], 'write').mockImplementation(text => {
      written[name] += String(text);
      return true;
    });
  }
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe('a wrong command line ends with 2 and says what would be right', () => {
  const cases: [string[], RegExp][] = [
    [['chekc', '-c', 'x.yaml'], /unknown command 'chekc'\n\(Did you mean check\?\)/],
    [['serve'], /unknown command 'serve'\n\(commands: run, check, demo; add --help/],
    [['run', '--confg', 'x.yaml'], /unknown option '--confg'\n\(Did you mean --config\?\)/],
    [['run'], /no configuration named, write: limpet run -c FILE\n\(add --help/],
    [['run', 'x.yaml'], /'x.yaml' has no -c before it, write: limpet run -c x.yaml/],
    [['run', '-f', 'x.yaml'], /unknown option '-f', write: limpet run -c x.yaml/],
    [['check', '-c', 'a.yaml', '-c', 'b.yaml'], /-c stands 2 times; for several files name the folder that holds them/],
    [['top'], /limpet top is not in this release yet/],
    [['server', 'emqx/emqx1', '--weight', '0'], /limpet server is not in this release yet/],
    [['reload', '-c', 'x.yaml'], /limpet reload is not in this release yet/],
    [['check', '-c'], /option '-c, --config <path>' argument missing/],
    [['check', '-c', 'a.yaml', 'b.yaml'], /too many arguments for 'check'. Expected 0 arguments but got 1/],
    [['demo', '--clients', 'many'], /argument 'many' is invalid. It must be a whole number from 0 to 1000/],
    [['demo', '--clients', '-3'], /argument '-3' is invalid. It must be a whole number from 0 to 1000/],
    [['demo', '--clients', '1001'], /argument '1001' is invalid/],
    [['demo', '--port', '65536'], /argument '65536' is invalid. It must be a whole number from 0 to 65535/],
    [[], /Usage: limpet/],
  ];
  it.each(cases)('limpet %j', async (args, expected) => {
    expect(await main(args)).toBe(2);
    expect(written.stderr).toMatch(expected);
    expect(written.stdout).toBe('');
  });
});

describe('what was asked for goes to stdout, with 0', () => {
  const manifest = new URL('../../package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  const cases: [string[], string][] = [
    [['--version'], `${version}\n`],
    [['-V'], `${version}\n`],
    [['-v'], `${version}\n`],
    [['--help'], 'Exit codes:'],
    [['run', '--help'], 'limpet run -c limpet.yaml'],
    [['check', '--help'], 'limpet check -c limpet.yaml'],
    [['demo', '--help'], 'limpet demo --clients 30'],
  ];
  it.each(cases)('limpet %j', async (args, expected) => {
    expect(await main(args)).toBe(0);
    expect(written.stdout).toContain(expected);
    expect(written.stderr).toBe('');
  });
});
