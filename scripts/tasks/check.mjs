// `npm run check`: types, lint and unit tests, in seconds.
import { staticChecks } from '../static-checks.mjs';
import { runTests, verdict } from '../tests.mjs';
import { install } from '../workspace.mjs';

/** @param {readonly string[]} args vitest's */
export async function run(args) {
  await install();
  const failed = await staticChecks(['types', 'lint']);
  const counts = await runTests(['--project', 'unit', '--project', 'unit-alone', ...args]);
  console.log(verdict({ ...counts, failed: counts.failed + failed }));
  return failed + counts.failed > 0 || counts.passed === 0 ? 1 : 0;
}
