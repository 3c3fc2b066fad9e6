/**
 * The command line: `connect message --runs 5 --seconds 3`.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { type ScenarioName, scenarioNames } from './scenarios.ts';
import { type TargetName, targetNames } from './target.ts';

export interface Options {
  readonly scenarios: readonly ScenarioName[];
  /** The first one is what the others are compared with. */
  readonly targets: readonly TargetName[];
  /** Runs of each target that count; one more, before them, warms up. */
  readonly runs: number;
  /** How long the load of one run lasts. */
  readonly seconds: number;
  readonly workers: number;
}

export const usage = `Usage: pnpm bench [connect] [message] [--runs N] [--seconds S] [--workers N] [--targets haproxy,limpet]

  --runs N       runs of each that count, after one to warm up (default 5)
  --seconds S    load of one run (default 3)
  --workers N    threads of HAProxy, workers of Limpet (default: one per CPU)
  --targets A,B  what is measured; ratios are to the first (default haproxy,limpet)`;

/** The options, or the sentence that says what is wrong. */
export function readOptions(args: readonly string[]): Options | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        runs: { type: 'string', default: '5' },
        seconds: { type: 'string', default: '3' },
        workers: { type: 'string', default: String(availableParallelism()) },
        targets: { type: 'string', default: targetNames.join(',') },
      },
    });
    return {
      scenarios: positionals.length === 0 ? scenarioNames : known('scenario', scenarioNames, positionals),
      targets: known('target', targetNames, values.targets.split(',')),
      runs: count('runs', values.runs, 100),
      seconds: count('seconds', values.seconds, 60),
      workers: count('workers', values.workers, 64),
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function known<N extends string>(what: string, names: readonly N[], given: readonly string[]): N[] {
  return given.map(word => {
    const name = names.find(candidate => candidate === word);
    if (name === undefined) throw new Error(`There is no ${what} "${word}"; there are ${names.join(', ')}.`);
    return name;
  });
}

function count(option: string, text: string, limit: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= limit) return value;
  throw new Error(`--${option} is a whole number from 1 to ${limit}, not "${text}".`);
}
