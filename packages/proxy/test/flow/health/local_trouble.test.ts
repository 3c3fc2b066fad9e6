import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ask, result } from './ask.ts';
import { listen } from './servers.ts';

test('no file descriptor left is this host’s trouble, not the broker’s', async () => {
  await using server = await listen();
  const limit = readdirSync('/proc/self/fd').length + 100;
  const before = limitFiles(limit);
  const taken = takeFiles();
  try {
    expect(await ask(server.port, { type: 'tcp' })).toEqual({ kind: 'not_made', code: 'EMFILE' });
  } finally {
    for (const file of taken) closeSync(file);
    limitFiles(before);
  }
  expect(await result(server.port, { type: 'tcp' })).toMatchObject({ ok: true });
});

/** Sets this process's soft limit of open files; answers the one before. */
function limitFiles(soft: number): number {
  const pid = ['--pid', String(process.pid)];
  const before = Number(execFileSync('prlimit', [...pid, '--nofile', '--noheadings', '--output=SOFT']).toString());
  execFileSync('prlimit', [...pid, `--nofile=${soft}:`]);
  return before;
}

function takeFiles(): number[] {
  const taken: number[] = [];
  for (;;) {
    try {
      taken.push(openSync('/dev/null', 'r'));
    } catch {
      return taken;
    }
  }
}
