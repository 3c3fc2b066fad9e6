/**
 * The machine, in lines for the table and the report.
 */
import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';

const gib = 1024 ** 3;

export function machine(): string[] {
  const all = cpus();
  return [
    `${all.length} × ${all[0]?.model.trim() ?? 'unknown CPU'}, ${(totalmem() / gib).toFixed(1)} GiB`,
    `Linux ${release()}`,
    `Node ${process.version}`,
    `OpenSSL ${process.versions.openssl} (in Node), ${word('openssl', ['version'], /OpenSSL (\S+)/)} (in HAProxy and in the load)`,
    `Redis ${word('redis-server', ['--version'], /v=(\S+)/)}`,
  ];
}

/** What a program says of its version. */
function word(program: string, args: readonly string[], pattern: RegExp): string {
  return pattern.exec(execFileSync(program, args, { encoding: 'utf8' }))?.[1] ?? '(unknown)';
}
