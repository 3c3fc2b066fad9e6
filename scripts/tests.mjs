// Runs vitest and answers what really happened, counted by vitest and not read from its text.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runChild } from './child.mjs';
import { root } from './workspace.mjs';

const reporter = fileURLToPath(new URL('counting-reporter.mjs', import.meta.url));

/**
 * @param {readonly string[]} args vitest's own, behind `run`
 * @param {{ node?: string, env?: NodeJS.ProcessEnv }} [on] another Node than this one
 * @returns {Promise<{ passed: number, failed: number, skipped: number }>}
 */
export async function runTests(args, { node = process.execPath, env = {} } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'limpet-test-'));
  const file = join(folder, 'counts.json');
  try {
    const reporters = ['--reporter=default', `--reporter=${reporter}`];
    const vitest = ['run', ...reporters, ...args];
    const command = [join(root, 'node_modules/vitest/vitest.mjs'), ...vitest];
    const { code } = await runChild(node, command, { cwd: root, env: { ...env, LIMPET_TEST_COUNTS: file } });
    return agree(readCounts(file), code);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The line that says it all, and that ends `npm test`. @param {{ passed: number, failed: number, skipped: number }} counts */
export function verdict({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** vitest may fail for what is no test's fault, and then its exit code is the only one to say so. */
function agree(counts, code) {
  return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

function readCounts(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    console.log('vitest ended without a result.');
    return { passed: 0, failed: 1, skipped: 0 };
  }
}
