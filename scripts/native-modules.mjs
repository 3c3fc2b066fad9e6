// Modules that are compiled for one version of Node: built anew where another one runs.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runChild } from './child.mjs';
import { attempt } from './step.mjs';
import { pnpmEnv, root, withPnpm } from './workspace.mjs';

/** For datagrams to a syslog server. It is optional: where it cannot be built, all goes on without it. */
const module = 'unix-dgram';
const user = join(root, 'packages/proxy');

/**
 * @param {string} [node] the program that will load it
 * @param {NodeJS.ProcessEnv} [env] an environment in which that one is `node`
 */
export async function provideNativeModules(node = process.execPath, env = {}) {
  const loads = await runChild(node, ['-e', `require('${module}')`], { cwd: user, capture: true });
  if (loads.code === 0) return;
  // A package that brings a binary of Node brings its headers, too; else node-gyp knows where they are.
  const home = dirname(dirname(node));
  const headers = existsSync(join(home, 'include/node/node_api.h')) ? { npm_config_nodedir: home } : {};
  await attempt(`${module} for this Node`, ...withPnpm('pnpm', 'rebuild', module), {
    cwd: user,
    env: { ...pnpmEnv, ...env, ...headers },
  });
}
