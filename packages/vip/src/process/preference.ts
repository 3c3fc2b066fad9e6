import { execFile } from 'node:child_process';
import { setPriority } from 'node:os';

/** The smallest number is the highest preference. */
const nicest = -20;
/** Of SCHED_RR: before all ordinary processes, behind what the kernel itself does. */
const realtimePriority = '10';

/**
 * Has the kernel run a process, and what it starts later, before others: a heartbeat that is late on a busy host looks
 * like a death. Resolves with whether it was allowed (root, or CAP_SYS_NICE); if not, it runs like all others.
 */
export async function prefer(pid: number, isRealtime: boolean): Promise<boolean> {
  if (isRealtime && (await isRealtimeGiven(pid))) return true;
  try {
    setPriority(pid, nicest);
    return !isRealtime;
  } catch {
    return false;
  }
}

function isRealtimeGiven(pid: number): Promise<boolean> {
  return new Promise(resolve => {
    execFile('chrt', ['--all-tasks', '--rr', '--pid', realtimePriority, String(pid)], error => resolve(error === null));
  });
}
