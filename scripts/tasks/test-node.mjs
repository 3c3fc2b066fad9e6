// `npm run test:node -- [VERSION…] [vitest's arguments]`: the tests on several versions of Node, one after the other.
import { join } from 'node:path';
import { provideNativeModules } from '../native-modules.mjs';
import { nodeVersions, provideNode, splitVersions, withNode } from '../node-versions.mjs';
import { provideSystemPackages } from '../system-packages.mjs';
import { runTests, verdict } from '../tests.mjs';
import { build } from '../workspace.mjs';

/** @param {readonly string[]} args */
export async function run(args) {
  const { versions, rest } = splitVersions(args);
  await provideSystemPackages();
  await build();
  const lines = [];
  let failed = 0;
  try {
    for (const version of versions.length === 0 ? nodeVersions : versions) {
      const counts = await runOn(version, rest);
      const isEmpty = counts.passed + counts.failed === 0;
      failed += isEmpty ? 1 : counts.failed;
      lines.push(`Node ${version}: ${isEmpty ? 'no test ran' : verdict(counts)}`);
    }
  } finally {
    // As it was: the one that runs this.
    await provideNativeModules();
  }
  for (const line of lines) console.log(line);
  return failed === 0 ? 0 : 1;
}

/** @param {string} version @param {readonly string[]} args vitest's */
async function runOn(version, args) {
  const folder = await provideNode(version);
  const [node, env] = [join(folder, 'node'), withNode(folder)];
  await provideNativeModules(node, env);
  return runTests(args, { node, env });
}
