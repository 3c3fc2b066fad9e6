/**
 * Runs what the scenarios plan: targets take turns (A B A B), so that what else the machine does meets them alike.
 */
import { type Brokers, startBrokers } from './brokers.ts';
import { Fleet } from './fleet.ts';
import type { Measure, Row } from './measure.ts';
import type { Options } from './options.ts';
import type { RowPlan } from './scenarios.ts';
import { provide, type Setup } from './service.ts';
import type { Target, TargetName } from './target.ts';

const brokerCount = 3;
/** How long the first load of new proxies lasts, in seconds: theirs is the state of one that has run for long. */
const warmUpSeconds = 8;

export interface Watcher {
  /** What is being done now; empty: nothing. */
  progress(text: string): void;
  /** The version of a target. */
  version(name: TargetName, version: string): void;
}

/** A plan, and the name of its scenario. */
export interface Planned {
  readonly scenario: string;
  readonly plan: RowPlan;
}

/** Rows of one service share running proxies; those that are not measured are idle meanwhile. The rows come as planned. */
export async function measurePlans(all: readonly Planned[], options: Options, watcher: Watcher): Promise<Row[]> {
  await using brokers = await startBrokers(brokerCount);
  const rows = new Map<RowPlan, Row>();
  for (const service of new Set(all.map(({ plan }) => plan.service))) {
    const group = all.filter(({ plan }) => plan.service === service);
    await using provisions = await provide(service);
    const setup: Setup = { workers: options.workers, brokers: brokers.ports, service, ...provisions };
    await using fleet = new Fleet(setup);
    const around: Surroundings = { fleet, brokers, options, watcher };
    for (const planned of group) rows.set(planned.plan, await measureRow(planned, group, around));
  }
  return all.flatMap(({ plan }) => rows.get(plan) ?? []);
}

interface Surroundings {
  readonly fleet: Fleet;
  readonly brokers: Brokers;
  readonly options: Options;
  readonly watcher: Watcher;
}

/** `group`: all plans of its service. */
async function measureRow({ scenario, plan }: Planned, group: readonly Planned[], around: Surroundings): Promise<Row> {
  const { fleet, options, watcher } = around;
  const isFresh = plan.isFresh === true && !options.isSmoke;
  if (!isFresh) {
    watcher.progress(`${plan.title}: starting`);
    await fleet.start(targetsOf(group, options));
    for (const [name, version] of fleet.versions()) watcher.version(name, version);
  }
  const targets = targetsOf([{ scenario, plan }], options);
  const measures: Record<string, Measure[]> = Object.fromEntries(targets.map(name => [name, []]));
  // The first run warms up; what is new each time has nothing to warm.
  const firstRun = options.isSmoke || isFresh ? 1 : 0;
  const warmUp = group[0]?.plan === plan ? Math.max(options.seconds, warmUpSeconds) : options.seconds;
  for (let run = firstRun; run <= options.runs; run += 1) {
    for (const name of targets) {
      watcher.progress(`${plan.title}: run ${run} of ${options.runs}, ${name}`);
      const seconds = run === 0 ? warmUp : options.seconds;
      const measure = await measureOnce(plan, name, { isFresh, seconds }, around);
      if (run > 0) measures[name]?.push(measure);
      else if (measure.lost.length > 0) throw new Error(`${plan.title}, ${name}: ${measure.lost.join(', ')}`);
    }
  }
  watcher.progress('');
  return rowOf(scenario, plan, measures);
}

/** Those of the plans that were asked for. */
function targetsOf(planned: readonly Planned[], options: Options): TargetName[] {
  return options.targets.filter(name => planned.some(({ plan }) => plan.targets.includes(name)));
}

/** No two runs have the same client ids. */
let runNumber = 1;

async function measureOnce(
  plan: RowPlan,
  name: TargetName,
  { isFresh, seconds }: { readonly isFresh: boolean; readonly seconds: number },
  { brokers, fleet, options, watcher }: Surroundings,
): Promise<Measure> {
  const { isSmoke, workers } = options;
  const measure = (target: Target): Promise<Measure> =>
    plan.measure({ target, brokers, name: `${name}-${runNumber++}`, seconds, workers, isSmoke });
  if (!isFresh) return measure(await fleet.get(name));
  await using fresh = await fleet.startFresh(name);
  watcher.version(name, fresh.version);
  return await measure(fresh);
}

function rowOf(scenario: string, plan: RowPlan, measures: Readonly<Record<string, readonly Measure[]>>): Row {
  return {
    scenario,
    title: plan.title,
    meaning: plan.meaning,
    unit: plan.unit,
    judged: plan.judged,
    by: plan.by ?? 'ratio',
    base: 'haproxy',
    shown: plan.shown ?? [],
    limits: plan.limits ?? {},
    atLeast: plan.atLeast ?? false,
    others: plan.others ?? [],
    notes: plan.notes ?? [],
    measures,
  };
}
