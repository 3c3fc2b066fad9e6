// `npm run bench -- connect message`: builds, then measures the built program.
import { runChild } from '../child.mjs';
import { build, root } from '../workspace.mjs';

/** @param {readonly string[]} args */
export async function run(args) {
  await build();
  const { code } = await runChild(process.execPath, ['--import', 'tsx', 'bench/main.ts', ...args], { cwd: root });
  return code;
}
