/**
 * Writes `report.md` and the plots beside this file.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Results } from './measure.ts';
import { reportOf } from './report.ts';
import { scenarios } from './scenarios.ts';

const here = dirname(fileURLToPath(import.meta.url));

/** Plots of an earlier report go. Answers the report's path. */
export function writeReport(results: readonly Results[], folder: string = here): string {
  const profile = join(here, 'profile.md');
  const text = existsSync(profile) ? readFileSync(profile, 'utf8') : null;
  const files = reportOf(results, [...scenarios.keys()], text);
  rmSync(join(folder, 'plots'), { recursive: true, force: true });
  for (const { path, content } of files) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
  return join(folder, 'report.md');
}

/** Results that `--json` has written. @throws Error that names the file */
export function readResults(file: string): Results {
  try {
    const results = JSON.parse(readFileSync(file, 'utf8')) as Partial<Results>;
    if (!Array.isArray(results.rows) || !Array.isArray(results.about)) throw new Error('it has no rows');
    return results as Results;
  } catch (error) {
    throw new Error(`${file} is no result of --json: ${error instanceof Error ? error.message : String(error)}`);
  }
}
