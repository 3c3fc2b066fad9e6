/**
 * A proxy under measurement.
 */
import { readFileSync } from 'node:fs';
import { until } from '../packages/proxy/test/kit/condition.ts';
import { type Directory, makeDirectory } from '../packages/proxy/test/kit/directory.ts';
import { type Process, startProcess } from '../packages/proxy/test/kit/process.ts';
import { cpuUsOfTree } from './cpu.ts';

/** `haproxy-64k`: with `tune.bufsize 65536`. `limpet-node`: with the relay in TypeScript. */
export const targetNames = ['haproxy', 'haproxy-64k', 'nginx', 'limpet', 'limpet-node'] as const;
export type TargetName = (typeof targetNames)[number];

/** Disposing of it ends the proxy and removes its folder. */
export interface Target extends AsyncDisposable {
  readonly name: TargetName;
  readonly version: string;
  /** Where clients connect, on 127.0.0.1. */
  readonly port: number;
  readonly process: Process;
  /** Its folder: sockets, flags, the configuration. */
  readonly directory: Directory;
  /** CPU µs of its whole process tree so far. */
  cpuUs(): number;
  /** Lines that it has logged so far, of all that it logs or of one kind. */
  logLines(pattern?: RegExp): number;
}

export interface Launch {
  readonly name: TargetName;
  readonly version: string;
  /** Writes the configuration into the folder and answers the command line. */
  readonly command: (directory: Directory) => readonly string[];
  readonly env?: (directory: Directory) => Readonly<Record<string, string>>;
  /** The port, as soon as its log (or anything else) says that it serves; null before. */
  readonly ready: (log: string) => number | null | Promise<number | null>;
}

const startMs = 20_000;
const stopMs = 15_000;

/** Starts a proxy whose log goes to a file, as it does in service, and waits until it serves. */
export async function startTarget(launch: Launch): Promise<Target> {
  const directory = await makeDirectory(`bench-${launch.name}`);
  const log = directory.file('log');
  const redirected = ['-c', 'exec "$@" >"$0" 2>&1', log, ...launch.command(directory)];
  const env = { NODE_OPTIONS: '', ...launch.env?.(directory) };
  const process = startProcess('sh', redirected, { env, stopMs });
  const dispose = async (): Promise<void> => {
    // Twice: the second signal tells Limpet not to wait for its sessions.
    process.signal('SIGTERM');
    await process[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
  };
  try {
    const port = await until(() => readyPort(process, log, launch), {
      what: `${launch.name} to serve`,
      timeoutMs: startMs,
      seen: () => read(log).slice(-4000),
    });
    return {
      name: launch.name,
      version: launch.version,
      port,
      process,
      directory,
      cpuUs: () => cpuUsOfTree(process.pid),
      logLines: (pattern = /\n/) => read(log).split(pattern).length - 1,
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function readyPort(process: Process, log: string, launch: Launch): Promise<number | null> {
  if (process.exit !== null) throw new Error(`${launch.name} ended at its start:\n${read(log)}${process.tail()}`);
  return launch.ready(read(log));
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // The shell has not made it yet.
    return '';
  }
}
