// What every task stands on: pnpm, the dependencies and the build.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runChild } from './child.mjs';
import { step } from './step.mjs';

/** The folder of the root package.json. */
export const root = fileURLToPath(new URL('..', import.meta.url));

/** `CI`: never ask. `pm_on_fail`: npm has brought the right pnpm already, so that pnpm need not fetch itself again. */
export const pnpmEnv = { CI: 'true', pnpm_config_pm_on_fail: 'ignore' };
const stamp = join(root, 'node_modules/.cache/limpet/installed');

/** A program of the root's dev dependencies. @param {string} name */
export const tool = name => join(root, 'node_modules/.bin', name);

/**
 * Installs exactly what the lock file says, unless that has been done already; and builds the native relay anew where its
 * sources have changed. Where it cannot be built all goes on without it.
 */
export async function install() {
  await installPackages();
  const { output } = await runChild(process.execPath, ['packages/proxy/native/build.mjs'], {
    cwd: root,
    capture: true,
  });
  process.stdout.write(output);
}

async function installPackages() {
  const wanted = fingerprint();
  if (readIfThere(stamp) === wanted) return;
  await step('dependencies', ...withPnpm('pnpm', 'install', '--frozen-lockfile'), { cwd: root, env: pnpmEnv });
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, wanted);
}

/** Installs, then builds what has changed. Nothing leaves this machine: no telemetry, no remote cache. */
export async function build() {
  await install();
  const turbo = ['turbo', 'run', 'build', '--cache=local:rw', '--ui=stream', '--no-update-notifier'];
  const env = { ...pnpmEnv, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' };
  await step('build', ...withPnpm(...turbo), { cwd: root, env });
}

/**
 * A command line that runs a program with pnpm, in the version that package.json names, on its PATH. npm fetches it, so
 * the user's own npm configuration (registry, proxy, certificates) holds.
 */
export function withPnpm(program, ...args) {
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const command = program === 'pnpm' ? program : tool(program);
  const npm = ['exec', '--yes', '--prefer-offline', '--loglevel=error', `--package=${packageManager}`, '--'];
  return ['npm', [...npm, command, ...args]];
}

/** By content and not by time: a checkout of another branch and back needs no installation. */
function fingerprint() {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}\n`);
  const members = readdirSync(join(root, 'packages')).map(name => `packages/${name}`);
  const manifests = ['.', 'bench', 'lab', ...members].map(folder => join(folder, 'package.json'));
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', ...manifests]) {
    hash.update(`${file}\n${readIfThere(join(root, file)) ?? ''}\n`);
  }
  return hash.digest('hex');
}

function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    throw error;
  }
}
