// `npm run test:node -- [VERSION…] [vitest's arguments]`: the tests on several versions of Node, one after the other.
import { join } from 'node:path';
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
  for (const version of versions.length === 0 ? nodeVersions : versions) {
    const folder = await provideNode(version);
    const counts = await runTests(rest, { node: join(folder, 'node'), env: withNode(folder) });
    const isEmpty = counts.passed + counts.failed === 0;
    failed += isEmpty ? 1 : counts.failed;
    lines.push(`Node ${version}: ${isEmpty ? 'no test ran' : verdict(counts)}`);
  }
  for (const line of lines) console.log(line);
  return failed === 0 ? 0 : 1;
}
