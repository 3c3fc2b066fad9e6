#!/usr/bin/env node
// Builds the addon: `node native/build.mjs [--force] [--sanitize address|thread]`. It runs when the package is installed.
// Where it cannot be built it says why in one line and that is no error: Limpet then moves the bytes in TypeScript.
// What was built of the same sources, or does not compile, is not built again but with --force.
//
//   build/limpet.node        the addon; it appears when it is whole
//   build/stamp              of the sources that it, or what the compiler refused, came from
//   build/not-built.txt      why there is none, in one sentence; src/native/load_addon.ts reads it
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readFailure } from './failure.mjs';
import { fingerprint, headersFolder, missingTool, native, sources } from './toolchain.mjs';

const { values } = parseArgs({
  options: { force: { type: 'boolean', default: false }, sanitize: { type: 'string', default: '' } },
});
const folder = join(native, values.sanitize === '' ? 'build' : `build-${values.sanitize}`);
const addon = join(folder, 'limpet.node');
const stamp = join(folder, 'stamp');
const excuse = join(folder, 'not-built.txt');

const why = build();
if (why !== null)
  process.stdout.write(`limpet: the native relay was not built: ${why}. Bytes are moved in TypeScript.\n`);
// Installers and scripts want nothing to be said where nothing is wrong.
else if (process.env.npm_lifecycle_event === undefined)
  process.stdout.write(`limpet: the native relay is built: ${addon}\n`);

/** Null: it is there. */
function build() {
  try {
    mkdirSync(folder, { recursive: true });
    const wanted = fingerprint(values.sanitize);
    if (!values.force && textOf(stamp) === wanted) {
      if (existsSync(addon)) return null;
      if (existsSync(excuse)) return textOf(excuse);
    }
    const missing = missingTool();
    const failure = missing === null ? compile() : { why: missing, isLasting: false };
    if (failure === null) rmSync(excuse, { force: true });
    else {
      rmSync(addon, { force: true });
      writeFileSync(excuse, failure.why);
    }
    if (failure?.isLasting === false) rmSync(stamp, { force: true });
    else writeFileSync(stamp, wanted);
    return failure?.why ?? null;
  } catch (error) {
    return error.message;
  }
}

/** In a folder of its own, so that two builds at once do not meet and a broken one leaves nothing. Null: it is built. */
function compile() {
  const work = mkdtempSync(join(folder, 'work-'));
  try {
    for (const path of sources) cpSync(join(native, path), join(work, path), { recursive: true });
    const headers = headersFolder();
    const options = headers === null ? [] : [`--nodedir=${headers}`];
    const gyp = values.sanitize === '' ? [] : ['--', `-Dsanitize=${values.sanitize}`];
    const args = [nodeGyp(), 'rebuild', '--release', `--directory=${work}`, ...options, ...gyp];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: work, encoding: 'utf8' });
    if (status !== 0) return readFailure(`${stdout}\n${stderr}`);
    renameSync(join(work, 'build/Release/limpet.node'), addon);
    return null;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function nodeGyp() {
  return createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js');
}

function textOf(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : null;
}
