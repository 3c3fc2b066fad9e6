// Steps of a task: one line each while all is well, the whole output when one fails.
import { runChild } from './child.mjs';

/** A step ended with an exit code other than 0. What it printed has been shown already. */
export class StepFailed extends Error {
  name = 'StepFailed';
  /** @param {string} title @param {number} exitCode */
  constructor(title, exitCode) {
    super(`${title}: exit code ${exitCode}`);
    this.exitCode = exitCode;
  }
}

/**
 * Runs a command quietly. Throws StepFailed after printing all of its output if it fails.
 * @param {string} title @param {string} command @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 */
export async function step(title, command, args, options = {}) {
  const result = await attempt(title, command, args, options);
  if (!result.passed) throw new StepFailed(title, result.code);
}

/**
 * The same, but a failure is the answer and not an exception, so that further steps can follow it. An interruption by
 * a signal always throws.
 * @param {string} title @param {string} command @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<{ passed: boolean, code: number }>}
 */
export async function attempt(title, command, args, options = {}) {
  const startedMs = performance.now();
  const { code, output, interrupted } = await runChild(command, args, { ...options, capture: true });
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  if (interrupted) throw new StepFailed(title, code === 0 ? 1 : code);
  if (code !== 0) process.stdout.write(`${output.trimEnd()}\n`);
  console.log(`${code === 0 ? '✓' : '✗'} ${title} (${seconds} s${code === 0 ? '' : `, exit code ${code}`})`);
  return { passed: code === 0, code };
}
