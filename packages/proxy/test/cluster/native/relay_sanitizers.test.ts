import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { type Directory, makeDirectory } from '../../kit/directory.ts';

const BUILD = fileURLToPath(new URL('../../../native/test/relay_build.sh', import.meta.url));
const SEED = '20';
/** Links begin on the owner's thread, and are promoted to the relay's. */
const YOUNG = 'young';
/** Half a minute of work for each, where nothing else is on the machine. */
const LIMIT_MS = 600_000;
const LIMIT = { timeout: LIMIT_MS, killSignal: 'SIGKILL' } as const;
const run = promisify(execFile);

/** The programs end with another code at the first report, and print it. */
async function program(directory: Directory, name: string, ...words: string[]): Promise<string> {
  const { stdout } = await run(directory.file(name), words, {
    ...LIMIT,
    env: { ...process.env, TSAN_OPTIONS: 'halt_on_error=1' },
  });
  return stdout.trim().split('\n').at(-1) ?? '';
}

async function valgrind(directory: Directory, name: string, ...words: string[]): Promise<string> {
  const strict = ['--quiet', '--error-exitcode=9', '--leak-check=full', '--fair-sched=yes'];
  const { stdout } = await run('valgrind', [...strict, directory.file(name), ...words], LIMIT);
  return stdout.trim().split('\n').at(-1) ?? '';
}

test(
  'P1, P10: 20,000 links whose peers do whatever peers do, under the address and undefined-behaviour sanitizers',
  async () => {
    await using directory = await makeDirectory('relay');
    await run(BUILD, [directory.path, '-fsanitize=address,undefined', '-fno-sanitize-recover=all']);
    expect(await program(directory, 'relay_cases')).toBe('ok');
    expect(await program(directory, 'relay_cases', YOUNG)).toBe('ok');
    expect(await program(directory, 'relay_churn', 'quiet', '3000', '100', SEED)).toBe('ok');
    expect(await program(directory, 'relay_churn', 'quiet', '5000', '100', SEED, YOUNG)).toBe('ok');
    expect(await program(directory, 'relay_churn', 'wild', '5000', '200', SEED)).toBe('ok');
    expect(await program(directory, 'relay_churn', 'wild', '7000', '200', SEED, YOUNG)).toBe('ok');
  },
  LIMIT_MS,
);

test(
  'no data race between the owner and the relay: the thread sanitizer',
  async () => {
    await using directory = await makeDirectory('relay');
    await run(BUILD, [directory.path, '-fsanitize=thread']);
    expect(await program(directory, 'relay_cases')).toBe('ok');
    expect(await program(directory, 'relay_cases', YOUNG)).toBe('ok');
    expect(await program(directory, 'relay_churn', 'quiet', '800', '100', SEED, YOUNG)).toBe('ok');
    expect(await program(directory, 'relay_churn', 'wild', '700', '200', SEED)).toBe('ok');
    expect(await program(directory, 'relay_churn', 'wild', '1200', '200', SEED, YOUNG)).toBe('ok');
  },
  LIMIT_MS,
);

test(
  'no byte is read before it is written, and none is left: valgrind',
  async () => {
    await using directory = await makeDirectory('relay');
    await run(BUILD, [directory.path]);
    expect(await valgrind(directory, 'relay_churn', 'wild', '150', '50', SEED)).toBe('ok');
    expect(await valgrind(directory, 'relay_churn', 'wild', '200', '50', SEED, YOUNG)).toBe('ok');
  },
  LIMIT_MS,
);
