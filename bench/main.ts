/**
 * `pnpm bench`: CPU per connection and per message, of HAProxy and of Limpet, beside each other and in one run. Exits
 * with 1 when anything was lost or refused: then the figures mean nothing.
 */
import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
import { startBrokers } from './brokers.ts';
import { startHaproxy } from './haproxy.ts';
import { startLimpet } from './limpet.ts';
import type { Bench, Measure } from './measure.ts';
import { type Options, readOptions, usage } from './options.ts';
import { type RowPlan, scenarios } from './scenarios.ts';
import { machine, type Row, tableOf } from './table.ts';
import type { Setup, Target, TargetName } from './target.ts';

const brokerCount = 3;
const start: Readonly<Record<TargetName, (setup: Setup) => Promise<Target>>> = {
  haproxy: startHaproxy,
  limpet: startLimpet,
};

async function main(options: Options): Promise<number> {
  await using brokers = await startBrokers(brokerCount);
  await using pool = startPool();
  await using targets = await startTargets(options, brokers.ports);
  console.log(machine());
  for (const target of targets.all) console.log(`${target.name}: ${target.version}, ${options.workers} workers`);
  const lost: string[] = [];
  const rows: Row[] = [];
  for (const plan of options.scenarios.flatMap(name => scenarios[name])) {
    rows.push(await measureRow({ brokers, ...pool }, targets.all, plan, options, lost));
  }
  console.log(`\nMedian (least–greatest) of ${options.runs} interleaved runs of ${options.seconds} s:\n`);
  console.log(tableOf(rows, options.targets));
  for (const line of lost) console.log(`LOST ${line}`);
  return lost.length === 0 ? 0 : 1;
}

/** Half of the CPUs make the load: the proxies and the brokers need the rest. */
function startPool(): Pick<Bench, 'pool' | 'threads'> & AsyncDisposable {
  const threads = Math.max(1, Math.floor(availableParallelism() / 2));
  const pool = new Piscina({ minThreads: threads, maxThreads: threads });
  return { pool, threads, [Symbol.asyncDispose]: () => pool.destroy() };
}

/** All targets run all the time; the one that is not measured is idle. */
async function startTargets(
  options: Options,
  brokers: readonly number[],
): Promise<{ readonly all: readonly Target[] } & AsyncDisposable> {
  const all: Target[] = [];
  const end = async (): Promise<void> => {
    for (const target of all) await target[Symbol.asyncDispose]();
  };
  try {
    for (const name of options.targets) all.push(await start[name]({ workers: options.workers, brokers }));
    return { all, [Symbol.asyncDispose]: end };
  } catch (error) {
    await end();
    throw error;
  }
}

/** The targets take turns, so that what else the machine does meets them alike. */
async function measureRow(
  bench: Bench,
  targets: readonly Target[],
  plan: RowPlan,
  options: Options,
  lost: string[],
): Promise<Row> {
  const measures: Record<TargetName, Measure[]> = { haproxy: [], limpet: [] };
  for (let run = 0; run <= options.runs; run += 1) {
    for (const target of targets) {
      tellProgress(`${plan.title}: run ${run} of ${options.runs}, ${target.name}`);
      const measure = await plan.measure(bench, target, `${target.name}-${run}`, options.seconds);
      lost.push(...measure.lost.map(what => `${plan.title}, ${target.name}: ${what}`));
      // The first run warms up.
      if (run > 0) measures[target.name].push(measure);
    }
  }
  tellProgress('');
  return { title: plan.title, unit: plan.unit, measures };
}

/** On a terminal only, and in one line. */
function tellProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${text.padEnd(70)}${text === '' ? '\r' : ''}`);
}

// An exit, other than a signal, runs the hooks that remove the folders. The proxies die with their parent.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

const options = readOptions(process.argv.slice(2));
if (typeof options === 'string') {
  console.error(`${options}\n\n${usage}`);
  process.exitCode = 2;
} else {
  process.exitCode = await main(options);
}
