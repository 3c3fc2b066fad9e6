/**
 * The reactor without Node, under sanitizers and valgrind: thousands of streams that are paused, taken, ended and reset at
 * random moments, every byte compared, nothing left over. What it does is written in native/test/reactor_churn.cc.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { makeDirectory } from '../../kit/directory.ts';

const run = promisify(execFile);
const build = fileURLToPath(new URL('../../../native/test/reactor_build.sh', import.meta.url));
const timeoutMs = 170_000;

const variants = [
  {
    name: 'AddressSanitizer and UndefinedBehaviorSanitizer',
    flags: ['-fsanitize=address,undefined'],
    also: ['starve'],
    connections: 10_000,
  },
  { name: 'valgrind', flags: [], also: [], connections: 300 },
];

test.each(variants)('$connections connections of the reactor under $name leave no report', async variant => {
  await using directory = await makeDirectory('reactor');
  const out = join(directory.path, 'out');
  await run(build, [out, ...variant.flags, ...(variant.flags.length > 0 ? ['-fno-sanitize-recover=all'] : [])]);
  const churn = [join(out, 'reactor_churn'), String(variant.connections), '7', ...variant.also];
  const valgrind = ['valgrind', '--quiet', '--error-exitcode=9', '--leak-check=full', '--track-fds=no'];
  const [program = '', ...args] = variant.name === 'valgrind' ? [...valgrind, ...churn] : churn;
  const { stdout, stderr } = await run(program, args, { timeout: timeoutMs });
  expect(stderr).toBe('');
  expect(stdout).toContain(`${variant.connections + variant.also.length} connections`);
});
