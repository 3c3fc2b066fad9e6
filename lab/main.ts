/**
 * `pnpm lab`: five hosts on a switch, two of them a pair of proxies, and everything that can happen to them. Exits with
 * 1 when a fault was not survived, or a client of the crowd did not come home.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { makeDirectory } from '../packages/proxy/test/kit/directory.ts';
import { about } from './about.ts';
import { type CrowdResult, runCrowd } from './crowd.ts';
import { isEnclosed, runEnclosed, whyNot } from './enclosure.ts';
import type { MoverKind, Timing } from './mover.ts';
import { buildNetwork } from './network.ts';
import { type Options, readOptions, usage } from './options.ts';
import { Pair } from './pair.ts';
import type { PairSettings } from './proxy_host.ts';
import { type Results, reportOf, type Series } from './report.ts';
import { Services } from './services.ts';
import { runTrial, type Trial } from './trial.ts';

/** Less than the clients would make by themselves, so that the pace shows. */
const crowdConnectRate = 400;
const warmUpMs = 3_000;

async function main(options: Options): Promise<number> {
  await buildNetwork();
  const series: Series[] = [];
  const crowds: { by: MoverKind; result: CrowdResult }[] = [];
  for (const by of options.by) {
    for (const timing of options.timings) series.push({ by, timing, trials: await runSeries(options, by, timing) });
  }
  for (const by of options.crowd === 0 ? [] : options.by) {
    const settings: PairSettings = { by, timing: 'fast', connectRate: crowdConnectRate };
    const crowd = (pair: Pair): Promise<CrowdResult> => runCrowd(pair, options.crowd, crowdConnectRate);
    crowds.push({ by, result: await withPair(options, settings, crowd) });
  }
  const results: Results = { about: about(), faults: options.faults, runs: options.runs, series, crowds };
  const report = reportOf(results);
  console.log(`\n${report}`);
  if (options.report !== null) writeFileSync(options.report, report);
  if (options.json !== null) writeFileSync(options.json, JSON.stringify(results, null, 2));
  return isPassed(results) ? 0 : 1;
}

/** Every fault, as often as wanted, on one pair. */
async function runSeries(options: Options, by: MoverKind, timing: Timing): Promise<Trial[]> {
  if (options.faults.length === 0) return [];
  return withPair(options, { by, timing, connectRate: null }, async pair => {
    const trials: Trial[] = [];
    await pair.becomeHealthy(Date.now());
    // The first seconds of all those programs are no measure of anything.
    await delay(warmUpMs);
    for (const fault of options.faults) {
      for (let run = 1; run <= options.runs; run += 1) {
        const trial = await runTrial(pair, fault);
        trials.push(trial);
        const gap = trial.gapMs === null ? 'NOT SURVIVED' : `${trial.gapMs.toFixed(1)} ms`;
        console.log(`${by} ${timing} ${fault} ${run}: ${gap} (${trial.story})`);
      }
    }
    return trials;
  });
}

/** Brokers, Redis and the pair, new for each action. */
async function withPair<T>(options: Options, settings: PairSettings, action: (pair: Pair) => Promise<T>): Promise<T> {
  await using directory = await makeDirectory('lab');
  await using services = new Services(directory, settings.connectRate !== null);
  await services.start();
  await using pair = new Pair(directory.path, services, settings);
  try {
    await pair.start();
    return await action(pair);
  } finally {
    if (options.logs !== null) keepLogs(options.logs, pair);
  }
}

function keepLogs(folder: string, pair: Pair): void {
  mkdirSync(folder, { recursive: true });
  const { by, timing, connectRate } = pair.settings;
  const kind = connectRate === null ? 'faults' : 'crowd';
  for (const { name, lines } of pair.logs()) writeFileSync(join(folder, `${by}-${timing}-${kind}-${name}.log`), lines);
}

function isPassed({ series, crowds }: Results): boolean {
  const survived = series.every(({ trials }) => trials.every(trial => trial.gapMs !== null));
  return survived && crowds.every(({ result }) => result.sameBroker === result.clients);
}

async function start(): Promise<number> {
  const args = process.argv.slice(2);
  const options = readOptions(args);
  if (typeof options === 'string') {
    console.error(`${options}\n\n${usage}`);
    return 2;
  }
  if (isEnclosed()) return main(options);
  const reason = await whyNot();
  if (reason === null) return runEnclosed(new URL(import.meta.url), args);
  console.error(reason);
  return 1;
}

process.exitCode = await start();
