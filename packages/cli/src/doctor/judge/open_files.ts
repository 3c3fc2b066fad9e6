import { sessionsWithin } from '@limpet/proxy';
import { count, counted } from '../../output/numbers.ts';
import { type Finding, findings, sysctl } from '../finding.ts';
import type { Load } from '../load.ts';

export interface FileLimit {
  readonly soft: number;
  readonly hard: number;
}

export interface OpenFiles {
  /** Of the shell that runs the doctor; null: it cannot be read. */
  readonly shell: FileLimit | null;
  /** Of the proxy that runs: its primary and its workers. Empty: none runs. A limit of null cannot be read. */
  readonly processes: readonly { readonly name: string; readonly limit: FileLimit | null }[];
  /** The most that a limit may be raised to. */
  readonly nrOpen: number | null;
  /** Of the whole host: used, and the most. */
  readonly used: number | null;
  readonly fileMax: number | null;
}

const { ok, note, warning, problem } = findings('open files');

/** A session needs a descriptor to its client and one to its broker, and the worker some of its own. */
export function judgeOpenFiles(files: OpenFiles, load: Load): Finding[] {
  const runs = files.processes.length > 0;
  return [
    ...(runs ? processFindings(files, load) : []),
    ...shellFindings(files.shell, load, runs),
    ...hostFindings(files, load),
  ];
}

function processFindings({ processes }: OpenFiles, load: Load): Finding[] {
  const limits = processes.flatMap(({ limit }) => (limit === null ? [] : [limit.soft]));
  if (limits.length === 0)
    return [note('the limits of the running proxy cannot be read; run limpet doctor as its user, or as root')];
  const soft = Math.min(...limits);
  const enough = load.workers * sessionsWithin(soft);
  const what = `the running proxy may open ${files(soft)} a process, ${suffices(enough, load)}`;
  if (enough >= load.maxconn) return [ok(what)];
  return [problem(what, ...raise(load))];
}

function shellFindings(shell: FileLimit | null, load: Load, runs: boolean): Finding[] {
  if (shell === null) return [note('the limits of this shell cannot be read from /proc/self/limits')];
  // Node.js raises its soft limit to the hard one at its start.
  const enough = load.workers * sessionsWithin(shell.hard);
  const what = `this shell may open ${files(shell.soft)}, a Limpet that it starts ${files(shell.hard)} a process, ${suffices(enough, load)}`;
  if (enough >= load.maxconn) return [ok(what)];
  // Whoever has a unit does not start the proxy from a shell.
  return [runs ? note(what) : warning(what, ...raise(load))];
}

function hostFindings({ nrOpen, fileMax, used }: OpenFiles, load: Load): Finding[] {
  const perProcess = neededFiles(load);
  const inAll = 2 * load.maxconn + (used ?? 0);
  const found: Finding[] = [];
  if (nrOpen !== null && nrOpen < perProcess) {
    const what = `fs.nr_open is ${count(nrOpen)}: no limit can be raised above it, and ${count(perProcess)} are needed`;
    found.push(warning(what, sysctl('fs.nr_open', perProcess)));
  }
  if (fileMax !== null && fileMax < inAll) {
    const what = `fs.file-max lets this host open ${files(fileMax)}, ${count(used ?? 0)} are in use, and ${counted(load.maxconn, 'session')} need ${count(2 * load.maxconn)}`;
    found.push(problem(what, sysctl('fs.file-max', 2 * inAll)));
  }
  if (found.length === 0 && nrOpen !== null && fileMax !== null)
    found.push(ok(`the kernel allows ${files(nrOpen)} a process and ${count(fileMax)} in all`));
  return found;
}

/** One worker may by chance have many more sessions than another. */
function neededFiles({ maxconn }: Load): number {
  return 2 * maxconn + 1024;
}

function raise(load: Load): string[] {
  const needed = neededFiles(load);
  return [
    `systemctl edit limpet: [Service] LimitNOFILE=${needed}, then systemctl restart limpet`,
    `without systemd: ulimit -n ${needed} before limpet run`,
  ];
}

function suffices(enough: number, { maxconn, workers }: Load): string {
  const shown = Number.isFinite(enough) ? count(Math.floor(enough)) : 'any number of';
  return `with ${counted(workers, 'worker')} enough for ${shown} sessions of ${count(maxconn)} (global.maxconn)`;
}

function files(limit: number): string {
  return Number.isFinite(limit) ? counted(limit, 'file') : 'any number of files';
}
