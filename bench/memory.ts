/**
 * Memory that a process tree has to itself, as the kernel counts it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { keptBytes } from '../packages/proxy/test/kit/memory.ts';
import { childrenOf, privateBytes } from '../packages/proxy/test/kit/proc.ts';

/** A process and all its descendants. */
function treeOf(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(treeOf)];
}

function sumOf(bytes: readonly number[]): number {
  return bytes.reduce((sum, one) => sum + one, 0);
}

function privateBytesOfTree(pid: number): number {
  return sumOf(treeOf(pid).map(privateBytes));
}

const pauseMs = 500;
/** Readings in a row that say the same: 12 s, for V8 gives back pages that it does not need after some 8 s. */
const steadyForReadings = 24;
const steadyShare = 0.005;
const longestMs = 60_000;

/** Its memory, once it has not moved by more than 0.5 % for 12 s, or after 60 s: collectors and allocators take their time. */
export async function settledBytes(pid: number, steadyReadings: number = steadyForReadings): Promise<number> {
  const endMs = performance.now() + longestMs;
  let reference = privateBytesOfTree(pid);
  for (let steady = 0; steady < steadyReadings && performance.now() < endMs; ) {
    await delay(pauseMs);
    const bytes = privateBytesOfTree(pid);
    const isSteady = Math.abs(bytes - reference) <= reference * steadyShare;
    steady = isSteady ? steady + 1 : 0;
    if (!isSteady) reference = bytes;
  }
  return privateBytesOfTree(pid);
}

/** The same of a tree of Node's processes that were started with `COLLECTING` (test kit), without their garbage. */
export async function keptBytesOfTree(pid: number): Promise<number> {
  const pids = treeOf(pid);
  // What the first collections free goes back to the system while the next ones run.
  await keptBytes(pids);
  return sumOf(await keptBytes(pids));
}
