/**
 * The benchmark's own C programs: each folder of sources is one, built when it is first needed and whenever it changed.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const cache = fileURLToPath(new URL('../node_modules/.cache/limpet-bench/', import.meta.url));
const flags = ['-std=c17', '-O2', '-Wall', '-Wextra', '-Werror'];
const libraries = ['-lssl', '-lcrypto'];

/** The path of the program that `bench/<name>/*.c` make. @throws Error with what the compiler says */
export function programOf(name: string): string {
  const folder = join(here, name);
  const files = readdirSync(folder).sort();
  const hash = createHash('sha256').update([...flags, ...libraries].join(' '));
  for (const file of files) hash.update(file).update(readFileSync(join(folder, file)));
  const program = join(cache, `${name}-${hash.digest('hex').slice(0, 16)}`);
  if (existsSync(program)) return program;
  mkdirSync(cache, { recursive: true });
  const sources = files.filter(file => file.endsWith('.c')).map(file => join(folder, file));
  const unfinished = `${program}.${process.pid}`;
  try {
    execFileSync('cc', [...flags, ...sources, ...libraries, '-o', unfinished], { stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
    throw new Error(`The benchmark needs a C compiler and OpenSSL (Debian: gcc libc6-dev libssl-dev):\n${said}`);
  }
  renameSync(unfinished, program);
  return program;
}
