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
    [
      ['serve'],
      /unknown command 'serve'\n(\(Did you mean \w+\?\)\n)?\(commands: run, check, demo, status, top, client, table, server, /,
    ],
    [['run', '--confg', 'x.yaml'], /unknown option '--confg'\n\(Did you mean --config\?\)/],
    [['run'], /no configuration named, write: limpet run -c FILE\n\(add --help/],
    [['run', 'x.yaml'], /'x.yaml' has no -c before it, write: limpet run -c x.yaml/],
    [['run', '-f', 'x.yaml'], /unknown option '-f', write: limpet run -c x.yaml/],
    [['check', '-c', 'a.yaml', '-c', 'b.yaml'], /-c stands 2 times; for several files name the folder that holds them/],
    [['server'], /Usage: limpet server/],
    [['server', 'stop', 'emqx/emqx1'], /unknown command 'stop'\n\(commands: ready, drain, drain_new, maint, weight, /],
    [['server', 'drain'], /missing required argument 'backend\/server'/],
    [
      ['server', 'drain', 'emqx1'],
      /^error: 'emqx1' is no backend\/server: Write BACKEND\/SERVER, as in emqx\/emqx1; limpet status lists them/,
    ],
    [['server', 'drain', 'emqx/emqx1', '--rate', 'fast'], /Write sessions a second, as in 200\/s/],
    [['server', 'drain', 'emqx/emqx1', '--until', '5'], /--until needs a pace, add: --rate 200\/s/],
    [['server', 'drain', 'emqx/emqx1', '--wait'], /--wait needs a pace, add: --rate 200\/s/],
    [['server', 'drain', 'emqx/emqx1', '--pause', '--cancel'], /--pause and --cancel exclude each other/],
    [['server', 'drain', 'emqx/emqx1', '--pause', '--rate', '5/s'], /--rate is for a new task; --pause is for the one/],
    [['server', 'drain', 'emqx/emqx1', '--rate', '5', '--reason', 'x'], /Allowed choices are use_another_server, adm/],
    [
      ['server', 'weight', 'emqx/emqx1', '257'],
      /^error: '257' is no weight: a whole number from 0 to 256, or default\n/,
    ],
    [['server', 'ready', 'emqx/emqx1', 'emqx/emqx2'], /too many arguments for 'ready'/],
    [['rebalance', 'emqx'], /no pace named, add: --rate 200\/s/],
    [['rebalance', 'emqx', '--rate', '5', '--threshold', '5'], /Write a percentage with its sign, as in 5%/],
    [['table', 'clear', 'emqx', 'key', '--state', 'pinned'], /a key names one entry: leave out --server, --state/],
    [['table', 'export', 'emqx', '--format', 'xml'], /Allowed choices are json, csv/],
    [['client', 'list', '--limit', '0'], /It must be a whole number from 1 to 1000/],
    [['runtime'], /missing required argument 'command'/],
    [['runtime', 'show\ninfo'], /the command must be one line/],
    [['completion', 'tcsh'], /Allowed choices are bash, zsh, fish/],
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
    [['status', '--help'], 'limpet status --json'],
    [['top', '--help'], 'limpet top -c'],
    [['server', '--help'], 'limpet server drain emqx/emqx1 --rate 200/s'],
    [['server', 'drain', '--help'], 'limpet server drain emqx/emqx1 --pause'],
    [['rebalance', '--help'], 'limpet rebalance emqx --rate 200/s'],
    [['table', '--help'], 'limpet table export emqx'],
    [['client', '--help'], 'limpet client show sensor-0815'],
    [['runtime', '--help'], 'limpet runtime "show table emqx"'],
    [['reload', '--help'], 'limpet reload -c'],
    [['password', '--help'], '| limpet password'],
    [['completion', '--help'], 'source <(limpet completion bash)'],
  ];
  it.each(cases)('limpet %j', async (args, expected) => {
    expect(await main(args)).toBe(0);
    expect(written.stdout).toContain(expected);
    expect(written.stdout).not.toContain('\n\n\n');
    expect(written.stderr).toBe('');
  });
});
