/**
 * The built program with an addon under AddressSanitizer in place of its own.
 */
import { execFile } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Directory } from './directory.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const NATIVE = join(ROOT, 'packages/proxy/native');
/** Of a package, what the program does not need; `native` has the addon of its own. */
const LEFT_OUT = new Set(['src', 'test', 'native']);
const REPORT = 'asan-report';

/** What Node has to load before everything else; null: this compiler has no AddressSanitizer. */
export async function sanitizerLibrary(): Promise<string | null> {
  const [compiler = '', ...flags] = (process.env.CXX ?? 'g++').split(' ');
  try {
    const { stdout } = await run(compiler, [...flags, '-print-file-name=libasan.so']);
    // Of a file that there is not, the bare name is printed.
    return isAbsolute(stdout.trim()) ? stdout.trim() : null;
  } catch {
    return null;
  }
}

/** Builds the addon beside the normal one, unless that is done, and answers its file. */
async function buildSanitized(): Promise<string> {
  // Below `npm test` it would take that for an installation, and say nothing.
  const env = { ...process.env, npm_lifecycle_event: undefined };
  const { stdout } = await run(process.execPath, [join(NATIVE, 'build.mjs'), '--sanitize', 'address'], { env });
  const addon = /^limpet: the native relay is built: (.*)$/m.exec(stdout)?.[1];
  if (addon === undefined) throw new Error(stdout);
  return addon;
}

export interface SanitizedProgram {
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
  /** Those of all its processes so far. */
  reports(): string[];
}

/** A copy of the program, in that folder. */
export async function sanitizedProgram(library: string, directory: Directory): Promise<SanitizedProgram> {
  const addon = await buildSanitized();
  // As they are here, so that the links between packages and to `node_modules` lead to the copies.
  for (const name of ['cli', 'proxy', 'state', 'vip']) {
    const from = join(ROOT, 'packages', name);
    const filter = (path: string): boolean => !LEFT_OUT.has(path.slice(from.length + 1));
    cpSync(from, directory.file(`packages/${name}`), { recursive: true, verbatimSymlinks: true, filter });
  }
  symlinkSync(join(ROOT, 'node_modules'), directory.file('node_modules'));
  cpSync(addon, directory.file('packages/proxy/native/build/limpet.node'));
  // What V8 does with its memory is not ours to judge: no search for leaks. It stops at the first report.
  const options = ['detect_leaks=0', 'quarantine_size_mb=64', `log_path=${directory.file(REPORT)}`];
  return {
    program: directory.file('packages/cli/dist/bin.js'),
    env: { LD_PRELOAD: library, ASAN_OPTIONS: options.join(':') },
    reports: () =>
      readdirSync(directory.path)
        .filter(name => name.startsWith(REPORT))
        .map(name => readFileSync(directory.file(name), 'utf8')),
  };
}
