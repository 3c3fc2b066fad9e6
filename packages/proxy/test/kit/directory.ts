/**
 * A folder of a test's own, below the system's temporary folder.
 */
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Directory extends AsyncDisposable {
  readonly path: string;
  /** The path of a name inside. */
  file(name: string): string;
  /** Writes a file and answers its path. */
  write(name: string, content: string): string;
}

/** Disposing of it removes it with everything in it. */
export async function makeDirectory(purpose: string): Promise<Directory> {
  const path = await mkdtemp(join(tmpdir(), `limpet-${purpose}-`));
  return {
    path,
    file: name => join(path, name),
    write: (name, content) => {
      writeFileSync(join(path, name), content);
      return join(path, name);
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}
