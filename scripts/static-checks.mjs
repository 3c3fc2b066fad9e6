// What can be said of the code without running it.
import { attempt } from './step.mjs';
import { root, tool } from './workspace.mjs';

/** @type {Record<'types' | 'lint' | 'knip', readonly [title: string, program: string, ...args: string[]]>} */
const checks = {
  types: ['types (tsc)', 'tsc', '-b'],
  lint: ['lint and format (biome)', 'biome', 'check', '--error-on-warnings'],
  knip: ['unused files, exports and dependencies (knip)', 'knip', '--no-progress'],
};

/**
 * Runs the named checks, all of them, one after another, and answers how many failed.
 * @param {readonly (keyof typeof checks)[]} names
 */
export async function staticChecks(names) {
  let failed = 0;
  for (const name of names) {
    const [title, program, ...args] = checks[name];
    const { passed } = await attempt(title, tool(program), args, { cwd: root });
    if (!passed) failed += 1;
  }
  return failed;
}
