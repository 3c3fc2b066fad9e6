import { fileURLToPath } from 'node:url';
import { until } from '../../../proxy/test/kit/condition.ts';
import { type Process, startProcess } from '../../../proxy/test/kit/process.ts';

export const BIN: string = fileURLToPath(new URL('../../dist/bin.js', import.meta.url));

/** What a program that ended by itself left behind. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string[];
  readonly stderr: string[];
}

/**
 * Starts the built program as a terminal does: in a process group of its own, whose id is the program's process id.
 * (`setsid` execs in place, so the process id stays.)
 */
export function startLimpetProgram(...args: string[]): Process {
  return startProcess('setsid', [process.execPath, BIN, ...args]);
}

/** Runs the built program to its end. */
export async function limpet(...args: string[]): Promise<Ended> {
  await using program = startLimpetProgram(...args);
  const { code } = await program.waitForExit();
  return { code, stdout: linesOf(program, 'stdout'), stderr: linesOf(program, 'stderr') };
}

/** The built program as a shell writes it. The words must need no quotes. */
export function limpetCommand(...args: string[]): string {
  return [process.execPath, BIN, ...args].join(' ');
}

/** Runs a shell's script to its end. In it `limpet` is the built program, and `$1`, `$2`, … are `args`. */
export async function runScript(script: string, ...args: string[]): Promise<Ended> {
  const head = `limpet() { "$NODE" "$BIN" "$@"; }\nNODE=$1; BIN=$2; shift 2\n`;
  await using program = startProcess('bash', ['-c', head + script, 'bash', process.execPath, BIN, ...args]);
  const { code } = await program.waitForExit();
  return { code, stdout: linesOf(program, 'stdout'), stderr: linesOf(program, 'stderr') };
}

/** What it has printed on one of its streams so far. */
export function linesOf(program: Process, stream: 'stdout' | 'stderr'): string[] {
  return program.lines.filter(line => line.stream === stream).map(line => line.text);
}

/** What the terminal does on Ctrl-C: SIGINT to every process of the group. */
export function pressCtrlC(program: Process): void {
  process.kill(-program.pid, 'SIGINT');
}

/** Waits until no process of the program's group is left. */
export async function nothingLeft(program: Process): Promise<void> {
  await until(() => !groupLives(program.pid), { what: `the end of the whole process group ${program.pid}` });
}

function groupLives(group: number): boolean {
  try {
    process.kill(-group, 0);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}
