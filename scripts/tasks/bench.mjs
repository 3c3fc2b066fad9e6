// `npm run bench -- [--node VERSION] connect message`: builds, then measures the built program.
import { join } from 'node:path';
import { runChild } from '../child.mjs';
import { provideNode, withNode } from '../node-versions.mjs';
import { provideSystemPackages } from '../system-packages.mjs';
import { build, root } from '../workspace.mjs';

/** @param {readonly string[]} args */
export async function run(args) {
  await provideSystemPackages();
  await build();
  const on = args[0] === '--node' ? await otherNode(args[1] ?? '') : { node: process.execPath, env: {} };
  const rest = args[0] === '--node' ? args.slice(2) : args;
  const { code } = await runChild(on.node, ['--import', 'tsx', 'bench/main.ts', ...rest], { cwd: root, env: on.env });
  return code;
}

/** @param {string} version */
async function otherNode(version) {
  const folder = await provideNode(version);
  return { node: join(folder, 'node'), env: withNode(folder) };
}
