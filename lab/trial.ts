/**
 * One fault, once: steady before, applied, away, put right, healthy again.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../packages/proxy/test/kit/condition.ts';
import { type FaultName, faults } from './faults.ts';
import { type Gap, longestGap } from './gap.ts';
import { overlapMs } from './holding.ts';
import type { ProxyName } from './network.ts';
import type { Pair } from './pair.ts';

export interface Trial {
  readonly fault: FaultName;
  /** The longest time without a CONNACK in the second before, when nothing happened. */
  readonly quietMs: number;
  /** The longest time without a CONNACK after the fault; null: nobody came in again in time. */
  readonly gapMs: number | null;
  /** The longest time without a CONNACK from when the fault was put right until all was healthy again. */
  readonly backGapMs: number;
  /** Connections without a CONNACK. */
  readonly failed: number;
  readonly from: ProxyName;
  readonly to: ProxyName | null;
  /** How long two hosts held the address while both could be reached. */
  readonly overlapMs: number;
  /** … and while the old one was cut off from everybody. */
  readonly cutOffOverlapMs: number;
  /** What happened when, in milliseconds after the fault. */
  readonly story: string;
}

/** After so long the fault counts as not survived. */
const giveUpMs = 10_000;
/** A fault lasts at least so long. */
const leastMs = 1_500;
/** Batches of the probe and lines of the kernel are on their way for so long. */
const settleMs = 150;

export async function runTrial(pair: Pair, name: FaultName): Promise<Trial> {
  await pair.becomeHealthy(Date.now());
  const fault = faults[name];
  const from = pair.active;
  const atMs = Date.now();
  const heal = await fault.apply(pair, from);
  const survived = await cameBack(pair, atMs);
  await delay(Math.max(0, atMs + leastMs - Date.now()));
  const healMs = Date.now();
  const [to = null] = pair.holders.now().filter(holder => holder !== from.name);
  await heal();
  await pair.becomeHealthy(Date.now());
  await delay(settleMs);
  const endMs = Date.now();
  const { connacksMs, failures } = pair.visitors;
  const events = pair.holders.events();
  const gap = longestGap(connacksMs, atMs, healMs);
  const reachableFromMs = fault.cutsOff ? healMs : atMs;
  return {
    fault: name,
    quietMs: longestGap(connacksMs, atMs - 1_000, atMs).lengthMs,
    gapMs: survived ? gap.lengthMs : null,
    backGapMs: longestGap(connacksMs, healMs, endMs).lengthMs,
    failed: failures.filter(failure => failure.atMs >= atMs && failure.atMs < endMs).length,
    from: from.name,
    to,
    overlapMs: overlapMs(events, reachableFromMs, endMs),
    cutOffOverlapMs: overlapMs(events, atMs, reachableFromMs),
    story: story(pair, gap, atMs, endMs),
  };
}

/** Whether visitors came in steadily again. */
async function cameBack(pair: Pair, atMs: number): Promise<boolean> {
  try {
    await until(() => pair.visitors.isSteady(atMs), { what: 'visitors to come in again', timeoutMs: giveUpMs });
    return true;
  } catch {
    return false;
  }
}

function story(pair: Pair, gap: Gap, atMs: number, endMs: number): string {
  const after = (ms: number): string => `${(ms - atMs).toFixed(1)}`;
  const moves = pair.holders.events().filter(event => event.atMs >= atMs && event.atMs <= endMs);
  const told = moves.map(event => `${event.host} ${event.holds ? '+' : '-'} at ${after(event.atMs)}`);
  return [`at ${atMs}: no CONNACK from ${after(gap.fromMs)} to ${after(gap.toMs)}`, ...told].join(', ');
}
