/**
 * CPU time as the scheduler accounts it, in nanoseconds and without sampling: the first field of
 * /proc/PID/task/TID/schedstat (Linux, Documentation/scheduler/sched-stats.rst).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { childrenOf } from '../packages/proxy/test/kit/proc.ts';

/** CPU µs that a process and all its descendants have used so far. A thread that has ended is no longer counted. */
export function cpuUsOfTree(pid: number): number {
  const children = childrenOf(pid).map(cpuUsOfTree);
  return children.reduce((sum, us) => sum + us, cpuUs(pid));
}

function cpuUs(pid: number): number {
  const tasks = `/proc/${pid}/task`;
  let ns = 0;
  for (const tid of readdirSync(tasks)) {
    const [onCpuNs = ''] = readFileSync(`${tasks}/${tid}/schedstat`, 'utf8').split(' ');
    ns += Number(onCpuNs);
  }
  return ns / 1000;
}
