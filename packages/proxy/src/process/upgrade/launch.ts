import { type ChildProcess, spawn } from 'node:child_process';
import { UPGRADE_VARIABLE } from './wire.ts';

/** As at the start: relative paths of the command line mean what they meant. */
const DIRECTORY = process.cwd();

/**
 * Starts the program that this process runs, as it is on disk now, with the same arguments. It speaks with this process
 * over a socketpair, writes where this one writes, and does not end with it.
 */
export function launchSuccessor(): ChildProcess {
  const { WATCHDOG_PID: _ours, ...environment } = process.env;
  return spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    cwd: DIRECTORY,
    env: { ...environment, [UPGRADE_VARIABLE]: String(process.pid) },
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
}
