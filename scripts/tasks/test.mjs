// `npm test`: everything, on a machine that has only Node and npm. Its last line is the verdict.
import { provideNativeModules } from '../native-modules.mjs';
import { staticChecks } from '../static-checks.mjs';
import { provideSystemPackages } from '../system-packages.mjs';
import { runTests, verdict } from '../tests.mjs';
import { build } from '../workspace.mjs';

/**
 * A static check that fails counts as one failed test, so that nobody who reads only the last line is misled.
 * @param {readonly string[]} args vitest's, e.g. `-t P6`
 */
export async function run(args) {
  await provideSystemPackages();
  await build();
  await provideNativeModules();
  const failed = await staticChecks(['lint', 'knip', 'types']);
  const counts = await runTests(args);
  if (counts.passed + counts.failed === 0) console.log('No test ran.');
  console.log(verdict({ ...counts, failed: counts.failed + failed }));
  return failed + counts.failed > 0 || counts.passed === 0 ? 1 : 0;
}
