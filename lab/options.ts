/**
 * The command line: `--faults proxy-killed,link-down --by vip --timing fast --runs 3`.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type FaultName, faultNames } from './faults.ts';
import { type MoverKind, moverKinds, type Timing, timings } from './mover.ts';

export interface Options {
  readonly faults: readonly FaultName[];
  readonly by: readonly MoverKind[];
  readonly timings: readonly Timing[];
  readonly runs: number;
  /** Clients with persistent sessions that lose their proxy; 0: none come. */
  readonly crowd: number;
  /** Where the report goes; null: it is printed only. */
  readonly report: string | null;
  /** Where every single trial goes, as JSON. */
  readonly json: string | null;
  /** A folder for what Limpet and the movers print; null: none. */
  readonly logs: string | null;
}

export const usage = `Usage: pnpm lab [--faults A,B] [--by keepalived,vip] [--timing fast,default] [--runs N] [--crowd N]

  --faults A,B   ${faultNames.slice(0, 4).join(', ')},
                 ${faultNames.slice(4).join(', ')}, or none (default: all)
  --by A,B       what moves the address: ${moverKinds.join(', ')} (default: both)
  --timing A,B   ${timings.join(', ')} (default: both)
  --runs N       how often each fault happens (default 5)
  --crowd N      clients that lose their proxy at the end; 0: none (default 2000)
  --report FILE  also writes the report there (without any option: lab/report.md)
  --json FILE    writes every single trial there
  --logs FOLDER  keeps what Limpet and keepalived (or limpet vip) print, with the time of each line`;

const mostRuns = 50;
const mostClients = 10_000;

/** The options, or the sentence that says what is wrong. */
export function readOptions(args: readonly string[]): Options | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        faults: { type: 'string', default: faultNames.join(',') },
        by: { type: 'string', default: moverKinds.join(',') },
        timing: { type: 'string', default: timings.join(',') },
        runs: { type: 'string', default: '5' },
        crowd: { type: 'string', default: '2000' },
        report: { type: 'string' },
        json: { type: 'string' },
        logs: { type: 'string' },
      },
    });
    return {
      faults: values.faults === 'none' ? [] : known('fault', faultNames, values.faults),
      by: known('way to move the address', moverKinds, values.by),
      timings: known('timing', timings, values.timing),
      runs: count('runs', values.runs, 1, mostRuns),
      crowd: count('crowd', values.crowd, 0, mostClients),
      report: values.report ?? (args.length === 0 ? fileURLToPath(new URL('report.md', import.meta.url)) : null),
      json: values.json ?? null,
      logs: values.logs ?? null,
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function known<N extends string>(what: string, names: readonly N[], given: string): N[] {
  return given.split(',').map(word => {
    const name = names.find(candidate => candidate === word);
    if (name === undefined) throw new Error(`There is no ${what} "${word}"; there are ${names.join(', ')}.`);
    return name;
  });
}

function count(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new Error(`--${option} is a whole number from ${least} to ${most}, not "${text}".`);
}
