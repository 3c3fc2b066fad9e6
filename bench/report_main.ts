/**
 * `npm run bench:report -- FILE…`: one report of the results that several runs of `npm run bench -- --json FILE` have
 * written. Where two of them have measured the same row, the newer one counts.
 */
import { relative } from 'node:path';
import { readResults, writeReport } from './report_write.ts';

const files = process.argv.slice(2);
if (files.length === 0) {
  console.error('Usage: npm run bench:report -- FILE…\n\n  FILE  what `npm run bench -- --json FILE` has written');
  process.exitCode = 2;
} else {
  try {
    console.log(`${relative(process.cwd(), writeReport(files.map(readResults)))} and its plots are written`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
