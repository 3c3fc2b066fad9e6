// `npm run demo -- …`: builds, then `limpet demo …`.
import { runChild } from '../child.mjs';
import { build, root } from '../workspace.mjs';

/** @param {readonly string[]} args */
export async function run(args) {
  await build();
  const { code } = await runChild(process.execPath, ['packages/cli/dist/bin.js', 'demo', ...args], { cwd: root });
  return code;
}
