#!/usr/bin/env node
// Builds the addon: `node native/build.mjs [--force] [--sanitize address|thread]`. It runs when the package is installed.
// Where it cannot be built it says why in one line and that is no error: Limpet then moves the bytes in TypeScript.
//
//   build/limpet.node        the addon; it appears when it is whole
//   build/stamp              of the sources that it, or the failure, came from
//   build/not-built.txt      why there is none, in one sentence; src/native/load_addon.ts reads it
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
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

/** Null: it is there. */
function build() {
  try {
    mkdirSync(folder, { recursive: true });
    const wanted = fingerprint(values.sanitize);
    if (!values.force && textOf(stamp) === wanted) return existsSync(addon) ? null : textOf(excuse);
    const missing = missingTool();
    const failed = missing ?? compile();
    if (failed === null) rmSync(excuse, { force: true });
    else {
      rmSync(addon, { force: true });
      writeFileSync(excuse, failed);
    }
    // A tool that is missing now may be there the next time; a source that does not compile will not.
    if (missing === null) writeFileSync(stamp, wanted);
    else rmSync(stamp, { force: true });
    return failed;
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
    if (status !== 0) return reason(`${stdout}\n${stderr}`);
    renameSync(join(work, 'build/Release/limpet.node'), addon);
    return null;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function nodeGyp() {
  return createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js');
}

/** The line that says most of a failed build. */
function reason(output) {
  const lines = output.split('\n').map(line => line.trim());
  const line = lines.find(text => /\berror:/.test(text)) ?? lines.find(text => text.startsWith('gyp ERR! stack'));
  return (line ?? 'node-gyp failed without a word').replace(/^.*?\bwork-\w+\//, '').replace(/^gyp ERR! stack /, '');
}

function textOf(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : null;
}
