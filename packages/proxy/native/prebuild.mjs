#!/usr/bin/env node
// `node native/prebuild.mjs`: builds the addon and puts it where a package carries it, `prebuilds/<platform>`, for machines
// that have no compiler. One for each platform serves every Node from 20 on. Nothing of it goes into the repository.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { native, platformName } from './toolchain.mjs';

const built = join(native, 'build/limpet.node');
spawnSync(process.execPath, [join(native, 'build.mjs'), '--force'], { stdio: 'inherit' });
if (existsSync(built)) {
  const folder = join(native, 'prebuilds', platformName());
  mkdirSync(folder, { recursive: true });
  copyFileSync(built, join(folder, 'limpet.node'));
  process.stdout.write(`${join(folder, 'limpet.node')} (${readFileSync(built).length} bytes)\n`);
} else {
  process.exitCode = 1;
}
