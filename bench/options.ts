/**
 * The command line: `connect message --against haproxy --runs 5 --seconds 3`.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import type { TargetName } from './target.ts';

export interface Options {
  /** Names of `scenarios`. */
  readonly scenarios: readonly string[];
  readonly targets: readonly TargetName[];
  /** Runs of each target that count; one more, before them, warms up. */
  readonly runs: number;
  /** How long the load of one run lasts. */
  readonly seconds: number;
  readonly workers: number;
  /** One short run of each, with little load: whether all of it works. */
  readonly isSmoke: boolean;
  /** Where all single measures go; null: nowhere. */
  readonly json: string | null;
  /** Whether `bench/report.md` and its plots are written. */
  readonly report: boolean;
}

const rivals = { haproxy: ['haproxy', 'haproxy-64k'], nginx: ['nginx'] } as const;
const relays = { native: ['limpet'], node: ['limpet-node'] } as const;

/** What `--help` and every mistake prints. */
export function usageOf(scenarioNames: readonly string[]): string {
  return `Usage: npm run bench -- [scenario…] [--against haproxy,nginx] [--relay native,node] [--runs N] [--seconds S]

  scenario       ${scenarioNames.join(', ')} (default: all)
  --against A,B  what Limpet is compared with: haproxy, nginx, or none (default haproxy,nginx)
  --relay A,B    relays that Limpet is measured with: native, node (default both)
  --runs N       runs of each that count, after one to warm up (default 5)
  --seconds S    load of one run (default 3)
  --workers N    threads of HAProxy, workers of Limpet, processes of nginx (default: one per CPU)
  --smoke        one short run of each, with one worker and little load: only whether all works, and nothing is lost
  --json FILE    writes every single measure there
  --report       writes bench/report.md and its plots, of this run alone; \`npm run bench:report -- FILE…\` writes them of
                 what several runs have written with --json`;
}

/** The options, or the sentence that says what is wrong; empty: help was asked for. */
export function readOptions(args: readonly string[], scenarioNames: readonly string[]): Options | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        against: { type: 'string', default: 'haproxy,nginx' },
        relay: { type: 'string', default: 'native,node' },
        runs: { type: 'string', default: '5' },
        seconds: { type: 'string', default: '3' },
        workers: { type: 'string' },
        smoke: { type: 'boolean', default: false },
        json: { type: 'string' },
        report: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) return '';
    const against = values.against === 'none' ? [] : known('rival', rivals, values.against.split(','));
    return {
      scenarios: positionals.length === 0 ? scenarioNames : positionals.map(word => knownScenario(word, scenarioNames)),
      targets: [...against.flat(), ...known('relay', relays, values.relay.split(',')).flat()],
      runs: values.smoke ? 1 : count('runs', values.runs, 100),
      seconds: values.smoke ? smokeSeconds : count('seconds', values.seconds, 60),
      workers: count('workers', values.workers ?? String(values.smoke ? 1 : availableParallelism()), 64),
      isSmoke: values.smoke,
      json: values.json ?? null,
      report: values.report,
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const smokeSeconds = 0.2;

function knownScenario(word: string, names: readonly string[]): string {
  if (names.includes(word)) return word;
  throw new Error(`There is no scenario "${word}"; there are ${names.join(', ')}.`);
}

function known<V>(what: string, all: Readonly<Record<string, V>>, words: readonly string[]): V[] {
  return words.map(word => {
    const value = Object.hasOwn(all, word) ? all[word] : undefined;
    if (value === undefined)
      throw new Error(`There is no ${what} "${word}"; there are ${Object.keys(all).join(', ')}.`);
    return value;
  });
}

function count(option: string, text: string, limit: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= limit) return value;
  throw new Error(`--${option} is a whole number from 1 to ${limit}, not "${text}".`);
}
