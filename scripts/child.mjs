// One child process of a task, which never outlives it.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP'];
/** A terminal's Ctrl-C reaches us twice: from the terminal itself and from npm, which passes it on. */
const echoMs = 250;
const parentCheckMs = 500;

/**
 * Runs a command to its end and answers its exit code (128 + number where a signal ended it) and, if `capture` is
 * set, what it printed. The child leads a process group of its own, so that a Ctrl-C comes to it once, through us: a
 * second signal means "now" to Limpet. When the child has ended, whatever it left in its group is ended too.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ capture?: boolean, cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<{ code: number, output: string, interrupted: boolean }>}
 */
export function runChild(command, args, options = {}) {
  const capture = options.capture ?? false;
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    detached: true,
    stdio: ['ignore', capture ? 'pipe' : 'inherit', capture ? 'pipe' : 'inherit'],
  });
  const chunks = [];
  child.stdout?.on('data', chunk => chunks.push(chunk));
  child.stderr?.on('data', chunk => chunks.push(chunk));
  const signals = forwardSignals(child);
  return new Promise((resolve, reject) => {
    child.once('error', error => {
      signals.stop();
      reject(error);
    });
    // A left-over that holds the pipe would keep `close` away, so the sweep happens at `exit`.
    child.once('exit', () => signalGroup(child, 'SIGKILL'));
    child.once('close', (code, signal) => {
      const interrupted = signals.stop();
      resolve({ code: exitCode(code, signal), output: Buffer.concat(chunks).toString(), interrupted });
    });
  });
}

function exitCode(code, signal) {
  return code ?? 128 + (constants.signals[signal] ?? 0);
}

/** Passes signals on, and ends the child when npm, which started us, is gone without a word (its shell eats SIGTERM). */
function forwardSignals(child) {
  const last = new Map();
  let interrupted = false;
  const forward = signal => {
    interrupted = true;
    const now = performance.now();
    if (now - (last.get(signal) ?? Number.NEGATIVE_INFINITY) < echoMs) return;
    last.set(signal, now);
    child.kill(signal);
  };
  for (const signal of forwarded) process.on(signal, forward);
  const parent = process.ppid;
  const orphaned = setInterval(() => {
    if (process.ppid !== parent && last.size === 0) forward('SIGTERM');
  }, parentCheckMs);
  // biome-ignore lint/suspicious/noUndeclaredEnvVars: no turbo task; npm sets it for the scripts that it runs
  if (process.env.npm_lifecycle_event === undefined) clearInterval(orphaned);
  return {
    stop() {
      clearInterval(orphaned);
      for (const signal of forwarded) process.off(signal, forward);
      return interrupted;
    },
  };
}

function signalGroup(child, signal) {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Nothing was left: the usual case.
  }
}
