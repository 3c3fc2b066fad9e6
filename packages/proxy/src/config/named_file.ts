import { accessSync, constants, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { whyUnreadable } from './files.ts';
import { type Notes, noteValue } from './notes.ts';
import { type Path, placeKey, type Tree } from './tree.ts';

/** A relative path begins at the folder of the file that names it. */
export function besideFile(written: string, path: Path, { places }: Tree): string {
  return resolve(dirname(places.get(placeKey(path))?.file ?? '.'), written);
}

/** Whether it may be read, and is what is wanted; else why not, and what would help. */
function fault(name: string, mayBeFolder: boolean): readonly [what: string, remedy: string] | null {
  try {
    const status = statSync(name);
    const isFolder = mayBeFolder && status.isDirectory();
    if (!status.isFile() && !isFolder) {
      return ['This is not a file', mayBeFolder ? 'Name a PEM file, or a folder of PEM files.' : 'Name a PEM file.'];
    }
    // The names in a folder are of no use without the right to enter it.
    accessSync(name, isFolder ? constants.R_OK | constants.X_OK : constants.R_OK);
    return null;
  } catch (error) {
    return whyUnreadable(error, 'the folder of this file');
  }
}

/** What a default of `${NAME:-default}` has led to; what came out of the environment is not told. */
function readAs(name: string, path: Path, { places }: Tree): string {
  const place = places.get(placeKey(path));
  return place === undefined || place.written === null || place.foreign ? '' : ` (${name})`;
}

/** The absolute path of a file that the configuration names; that it cannot be read is noted. */
export function namedFile(written: string, path: Path, notes: Notes, mayBeFolder = false): string {
  const name = besideFile(written, path, notes.tree);
  const found = fault(name, mayBeFolder);
  if (found !== null) {
    const [what, remedy] = found;
    noteValue(
      path,
      `{value}${readAs(name, path, notes.tree)}: ${what.charAt(0).toLowerCase()}${what.slice(1)}`,
      remedy,
      notes,
    );
  }
  return name;
}

/** The same where the key may be left out. */
export function optionalFile(written: string | undefined, path: Path, notes: Notes): string | null {
  return written === undefined ? null : namedFile(written, path, notes);
}
