/**
 * What Linux says of processes: the children of one, whether one still runs, and what it holds.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** USER_HZ, which is 100 on every Linux that programs see. */
const msPerTick = 10;

interface Stat {
  /** R, S, D, T, Z … (proc_pid_stat(5)). */
  readonly state: string;
  readonly parent: number;
}

/** Process ids of the children of a process. */
export function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(candidate => statOf(candidate)?.parent === pid);
}

/** Whether a process exists and is no zombie. */
export function isAlive(pid: number): boolean {
  const stat = statOf(pid);
  return stat !== null && stat.state !== 'Z';
}

/** Resident memory of a process, in bytes. */
export function residentBytes(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kib === undefined) throw new Error(`process ${pid} has no memory: it has ended`);
  return Number(kib) * 1024;
}

/** Memory that a process has to itself: Private_Clean and Private_Dirty of /proc/PID/smaps_rollup, in bytes. */
export function privateBytes(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const kib = [...rollup.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB$/gm)].map(match => Number(match[1]));
  return kib.reduce((sum, value) => sum + value, 0) * 1024;
}

/** How many descriptors a process has open. */
export function descriptorsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

function statOf(pid: number): Stat | null {
  const [state, parent] = fieldsOf(pid);
  return state === undefined ? null : { state, parent: Number(parent) };
}

/** The fields from the third one, the state, on; none where there is no such process. */
function fieldsOf(pid: number): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in brackets, may hold spaces and brackets of its own.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}

/** Milliseconds since the system's start when a process began, in steps of 10. */
export function startedAtMs(pid: number): number {
  return Number(fieldsOf(pid)[19]) * msPerTick;
}

/** The time on the clock of `startedAtMs` for one of `Date.now()`. */
export function sinceBootMs(dateMs: number): number {
  const uptimeMs = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000;
  return uptimeMs - (Date.now() - dateMs);
}

/** Milliseconds of CPU that a process has used, in steps of 10. */
export function cpuMs(pid: number): number {
  const fields = fieldsOf(pid);
  return (Number(fields[11]) + Number(fields[12])) * msPerTick;
}
