/** One thread's line of /proc, as far as it says how the thread is. */
export interface TaskState {
  /** R runs or could, S sleeps, D waits for a disk, T and t are stopped, Z and X are dead (proc_pid_stat(5)). */
  readonly state: string;
  /** It ends, or writes its core: what it has open closes only when its memory is taken down, perhaps much later. */
  readonly isEnding: boolean;
  /** What it has used of a CPU, in ticks. */
  readonly cpuTicks: number;
}

/** PF_EXITING, PF_DUMPCORE and PF_SIGNALED (linux/sched.h). */
const ENDING = 0x4 | 0x200 | 0x400;
const SPACE = 0x20;
/** Fields behind the name: state, ppid, … */
const FLAGS_FIELD = 6;
const UTIME_FIELD = 11;
const STIME_FIELD = 12;
const THREADS_FIELD = 17;

/** Reads `/proc/PID/stat`, or a thread's. Null: it is not such a line. Without making strings: it is read 400 times a second. */
export function readTask(bytes: Uint8Array, length: number): TaskState | null {
  // The name is in brackets, and may hold brackets.
  const nameEnd = bytes.lastIndexOf(0x29, length - 1);
  if (nameEnd === -1 || nameEnd + 2 >= length) return null;
  let field = 0;
  let value = 0;
  let flags = 0;
  let cpuTicks = 0;
  for (let at = nameEnd + 2; at <= length && field <= STIME_FIELD; at += 1) {
    const byte = at === length ? SPACE : (bytes[at] ?? SPACE);
    if (byte !== SPACE) {
      value = value * 10 + byte - 0x30;
      continue;
    }
    if (field === FLAGS_FIELD) flags = value;
    else if (field === UTIME_FIELD || field === STIME_FIELD) cpuTicks += value;
    field += 1;
    value = 0;
  }
  if (field <= STIME_FIELD) return null;
  return { state: String.fromCharCode(bytes[nameEnd + 2] ?? 0), isEnding: (flags & ENDING) !== 0, cpuTicks };
}

/**
 * Whether a process that ends has closed all that it had open: its threads share that, and its last thread closes it. Until
 * its parent has taken note it is a zombie with one thread.
 */
export function hasLetGo(line: string): boolean {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'X' || (fields[0] === 'Z' && Number(fields[THREADS_FIELD]) <= 1);
}
