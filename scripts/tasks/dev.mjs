// `npm run dev -- run -c FILE`: the program from its sources, started again when one of them changes.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runChild } from '../child.mjs';
import { install, root } from '../workspace.mjs';

const watched = ['packages/cli/src', 'packages/proxy/src', 'packages/state/src', 'packages/state/lua'];
// Node's watch mode tells every process to report what it imports over IPC. In a cluster worker those reports would
// arrive at the primary as if they were the proxy's own messages. The folders above are watched anyway.
const quiet = 'data:text/javascript,delete process.env.WATCH_REPORT_DEPENDENCIES';

/** @param {readonly string[]} args those of `limpet`; none means `demo` */
export async function run(args) {
  await install();
  const paths = watched.filter(path => existsSync(join(root, path))).map(path => `--watch-path=${path}`);
  const node = ['--watch', ...paths, '--watch-preserve-output', `--import=${quiet}`];
  const source = ['--conditions=limpet-source', '--import=tsx', 'packages/cli/src/bin.ts'];
  const command = args.length > 0 ? args : ['demo'];
  const { code } = await runChild(process.execPath, [...node, ...source, ...command], { cwd: root });
  return code;
}
