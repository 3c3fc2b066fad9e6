// `npm run lab`: builds, then runs the failure laboratory against the built program.
import { runChild } from '../child.mjs';
import { provideSystemPackages } from '../system-packages.mjs';
import { build, root } from '../workspace.mjs';

/** @param {readonly string[]} args */
export async function run(args) {
  await provideSystemPackages();
  await build();
  const { code } = await runChild(process.execPath, ['--import', 'tsx', 'lab/main.ts', ...args], { cwd: root });
  return code;
}
