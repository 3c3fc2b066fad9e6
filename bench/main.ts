/**
 * `npm run bench`: what connections, messages, bytes and memory cost with HAProxy, nginx and Limpet, beside each other. Exits
 * with 1 when anything was lost or refused: then the figures mean nothing.
 */
import { writeFileSync } from 'node:fs';
import { machine } from './about.ts';
import type { Results, Row } from './measure.ts';
import { type Options, readOptions, usageOf } from './options.ts';
import { lossesOf } from './report_verdict.ts';
import { writeReport } from './report_write.ts';
import { measurePlans, type Planned, type Watcher } from './rows.ts';
import { scenarios } from './scenarios.ts';
import { tableOf } from './table.ts';

async function main(options: Options): Promise<number> {
  const at = new Date().toISOString();
  const versions = new Map<string, string>();
  const watcher: Watcher = {
    progress: tellProgress,
    version: (name, version) => void versions.set(name, `${name}: ${version}, ${options.workers} workers`),
  };
  const rows: Row[] = [];
  const troubles: string[] = [];
  for (const part of partsOf(options)) {
    try {
      rows.push(...(await part(watcher)));
    } catch (error) {
      // What was measured before, and what follows, counts as it is.
      troubles.push(`FAILED ${error instanceof Error ? error.stack : String(error)}`);
    }
  }
  const about = [...machine(), ...versions.values()];
  const { runs, seconds, workers } = options;
  const results: Results = { at, about, runs, seconds, workers, rows };
  if (options.json !== null) writeFileSync(options.json, JSON.stringify(results, null, 2));
  if (options.report) writeReport([results]);
  console.log(`${about.join('\n')}\n\n${runs} interleaved runs of ${seconds} s:\n\n${tableOf(rows)}`);
  if (options.isSmoke) console.log('\nSo little load shows only that all of it works: the figures mean nothing.');
  troubles.push(...rows.flatMap(lossesOf).map(loss => `LOST ${loss}`));
  for (const trouble of troubles) console.log(trouble);
  return troubles.length === 0 ? 0 : 1;
}

type Part = (watcher: Watcher) => Promise<Row[]>;

/** Each scenario has proxies of its own; a smoke test, which is to be short, starts them once for all. */
function partsOf(options: Options): Part[] {
  const parts: Part[] = [];
  const allPlans: Planned[] = [];
  for (const name of options.scenarios) {
    const scenario = scenarios.get(name);
    if (scenario === undefined) continue;
    if ('rows' in scenario) {
      parts.push(async watcher => {
        watcher.progress(name);
        return scenario.rows(options);
      });
      continue;
    }
    const plans = scenario.plans.map(plan => ({ scenario: name, plan }));
    if (options.isSmoke) allPlans.push(...plans);
    else parts.push(watcher => measurePlans(plans, options, watcher));
  }
  return allPlans.length === 0 ? parts : [watcher => measurePlans(allPlans, options, watcher), ...parts];
}

/** On a terminal one line that changes; else a line each, so that a log tells how far it came. */
function tellProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${text.padEnd(70)}${text === '' ? '\r' : ''}`);
  else if (text !== '') process.stderr.write(`${(performance.now() / 1000).toFixed(1).padStart(7)} s  ${text}\n`);
}

// An exit, other than a signal, runs the hooks that remove the folders. The proxies die with their parent.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

const names = [...scenarios.keys()];
const options = readOptions(process.argv.slice(2), names);
if (typeof options === 'string') {
  console.error(`${options}${options === '' ? '' : '\n\n'}${usageOf(names)}`);
  process.exitCode = options === '' ? 0 : 2;
} else {
  process.exitCode = await main(options);
}
