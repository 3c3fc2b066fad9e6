/**
 * A folder of a test's own, below the system's temporary folder.
 */
import { rmSync, writeFileSync } from 'node:fs';
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

/** Those that nobody has disposed of yet: an exit in the middle of a test, or of a benchmark, leaves none of them. */
const left = new Set<string>();
process.once('exit', () => {
  for (const path of left) rmSync(path, { recursive: true, force: true });
});

/** Disposing of it removes it with everything in it. */
export async function makeDirectory(purpose: string): Promise<Directory> {
  const path = await mkdtemp(join(tmpdir(), `limpet-${purpose}-`));
  left.add(path);
  return {
    path,
    file: name => join(path, name),
    write: (name, content) => {
      writeFileSync(join(path, name), content);
      return join(path, name);
    },
    [Symbol.asyncDispose]: async () => {
      await rm(path, { recursive: true, force: true });
      left.delete(path);
    },
  };
}
