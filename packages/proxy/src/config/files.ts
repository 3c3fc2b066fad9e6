import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../errors.ts';
import type { Problem } from './problem.ts';

/** A file of the configuration. */
interface SourceFile {
  /** As the operator named it. */
  readonly name: string;
  readonly text: string;
}

export type FilesRead =
  | { readonly ok: true; readonly files: readonly SourceFile[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** A configuration of a thousand servers has about 100 KB. */
const MAX_FILE_BYTES = 1024 * 1024;

const REASONS: Readonly<Record<string, readonly [what: string, remedy: string]>> = {
  ENOENT: ['There is no such file or folder', 'Check the path; a relative one starts at {start}.'],
  EACCES: ['The file may not be read', 'Give the user that runs Limpet the right to read it.'],
  EPERM: ['The file may not be read', 'Give the user that runs Limpet the right to read it.'],
  ENOTDIR: ['A part of the path is not a folder', 'Check the path.'],
};

function about(file: string, message: string, remedy: string): Problem {
  return { file, line: 0, column: 0, message, remedy };
}

/** Why a file cannot be read, and what would help. @param start where relative paths begin */
export function whyUnreadable(error: unknown, start: string): readonly [what: string, remedy: string] {
  const code = errorCode(error);
  const [what, remedy] = REASONS[code] ?? [`The file cannot be read (${code})`, 'Check the file and its disk.'];
  return [what, remedy.replace('{start}', start)];
}

function unreadable(file: string, error: unknown): Problem {
  return about(file, ...whyUnreadable(error, 'the current folder'));
}

function readOne(name: string): SourceFile | Problem {
  try {
    const status = statSync(name);
    if (!status.isFile()) return about(name, 'This is not a file', 'Name a YAML file, or a folder of YAML files.');
    if (status.size > MAX_FILE_BYTES) return about(name, 'The file is larger than 1 MiB', 'Is it the right file?');
    return { name, text: new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(name)) };
  } catch (error) {
    if (error instanceof TypeError) return about(name, 'The file is not text in UTF-8', 'Save it as UTF-8.');
    return unreadable(name, error);
  }
}

/** The file itself, or the `*.yaml` and `*.yml` files of a folder, sorted by name; hidden ones are left out. */
function namesBelow(path: string): readonly string[] {
  if (!statSync(path).isDirectory()) return [path];
  const names = readdirSync(path).filter(name => /^[^.].*\.ya?ml$/.test(name));
  return names.toSorted().map(name => join(path, name));
}

/** Reads a file, or all YAML files of a folder. Every file that cannot be read is a problem of its own. */
export function readFiles(path: string): FilesRead {
  let names: readonly string[];
  try {
    names = namesBelow(path);
  } catch (error) {
    return { ok: false, problems: [unreadable(path, error)] };
  }
  if (names.length === 0) {
    const remedy = 'Put at least one file there whose name ends in .yaml or .yml.';
    return { ok: false, problems: [about(path, 'The folder holds no configuration', remedy)] };
  }
  const read = names.map(readOne);
  const problems = read.filter(one => 'message' in one);
  return problems.length > 0 ? { ok: false, problems } : { ok: true, files: read.filter(one => 'text' in one) };
}
