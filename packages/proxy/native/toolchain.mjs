// What a build of the addon needs and is named after: sources, compiler, headers, platform.
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the addon's sources. */
export const native = fileURLToPath(new URL('.', import.meta.url));
/** What is compiled, below `native`. */
export const sources = ['binding.gyp', 'sources.gypi', 'core', 'addon'];

/** `linux-x64-glibc`: what a built addon runs on. One serves every Node of that kind: Node-API 8 and libuv 1. */
export function platformName() {
  return `${process.platform}-${process.arch}-${libc()}`;
}

/** Not process.report: it looks up the host's names, which takes seconds where there is no DNS. Not every Linux has /lib. */
function libc() {
  return existsSync('/lib') && readdirSync('/lib').some(name => name.startsWith('ld-musl-')) ? 'musl' : 'glibc';
}

/** Changes whenever the result of a build would. @param {string} sanitize */
export function fingerprint(sanitize) {
  const hash = createHash('sha256').update(`${platformName()} ${sanitize} ${process.env.CXX ?? ''}\n`);
  for (const file of sources.flatMap(files)) hash.update(`${file}\n`).update(readFileSync(join(native, file)));
  return hash.digest('hex');
}

function files(path) {
  if (path.includes('.')) return [path];
  return readdirSync(join(native, path))
    .sort()
    .map(name => join(path, name));
}

/** What is missing, in words; null: nothing is. */
export function missingTool() {
  if (process.platform !== 'linux') return `the native relay is for Linux, and this is ${process.platform}`;
  const compilers = process.env.CXX === undefined ? ['g++', 'c++', 'clang++'] : [process.env.CXX.split(' ')[0]];
  if (!compilers.some(isCommand)) return `there is no C++ compiler (${compilers[0]})`;
  if (!isCommand('make')) return 'there is no make';
  if (!isCommand('python3') && !isCommand('python')) return 'there is no python3, which node-gyp needs';
  return null;
}

function isCommand(name) {
  const folders = name.startsWith('/') ? [''] : (process.env.PATH ?? '').split(delimiter);
  return folders.some(folder => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** The folder for `--nodedir` where this Node's headers are beside it, as the archives of nodejs.org have them; else null. */
export function headersFolder() {
  const prefix = dirname(dirname(process.execPath));
  return existsSync(join(prefix, 'include/node/node_api.h')) ? prefix : null;
}
