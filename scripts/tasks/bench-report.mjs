// `npm run bench:report -- FILE…`: puts the results of several benchmark runs into one report. Paths are below the root.
import { runChild } from '../child.mjs';
import { install, root } from '../workspace.mjs';

/** @param {readonly string[]} args */
export async function run(args) {
  await install();
  const words = ['--import', 'tsx', 'bench/report_main.ts', ...args];
  const { code } = await runChild(process.execPath, words, { cwd: root });
  return code;
}
