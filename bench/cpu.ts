/**
 * CPU time as the scheduler accounts it, in nanoseconds and without sampling: the first field of
 * /proc/PID/task/TID/schedstat (Linux, Documentation/scheduler/sched-stats.rst).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { childrenOf } from '../packages/proxy/test/kit/proc.ts';

/** USER_HZ, which is 100 on every Linux that programs see. */
const usPerTick = 10_000;
/** proc_pid_stat(5) cuts each of its four times off to whole ticks. */
const roundingUs = 4 * usPerTick;

/** CPU µs that a process and all its descendants have used so far; 0 where it has ended. */
export function cpuUsOfTree(pid: number): number {
  try {
    const children = childrenOf(pid).map(cpuUsOfTree);
    return children.reduce((sum, us) => sum + us, cpuUs(pid));
  } catch {
    return 0;
  }
}

/** What its threads have used, and those of its threads and children that have ended, if that is more than rounding. */
function cpuUs(pid: number): number {
  const liveUs = liveThreadsUs(pid);
  const { ownUs, endedChildrenUs } = accounted(pid);
  const endedUs = ownUs + endedChildrenUs - liveUs;
  return liveUs + (endedUs > roundingUs ? endedUs : 0);
}

function liveThreadsUs(pid: number): number {
  const tasks = `/proc/${pid}/task`;
  let ns = 0;
  for (const tid of readdirSync(tasks)) {
    try {
      const [onCpuNs = ''] = readFileSync(`${tasks}/${tid}/schedstat`, 'utf8').split(' ');
      ns += Number(onCpuNs);
    } catch {
      // It has ended meanwhile; the process keeps its time.
    }
  }
  return ns / 1000;
}

function accounted(pid: number): { readonly ownUs: number; readonly endedChildrenUs: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name, in brackets, may hold spaces and brackets of its own; utime is the 14th field.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [user = 0, system = 0, childrenUser = 0, childrenSystem = 0] = fields.slice(11, 15).map(Number);
  return { ownUs: (user + system) * usPerTick, endedChildrenUs: (childrenUser + childrenSystem) * usPerTick };
}
