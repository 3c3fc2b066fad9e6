import { setPriority } from 'node:os';
import { Sentry } from './sentry.ts';

/** The program of the watchdog: the primary starts it, speaks on its standard input, and hears its standard output. */
process.title = 'limpet: watchdog';
// It ends with the primary, after it: what a service manager sends to all processes is not for it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const) process.on(signal, () => {});
// A primary that is gone hears nothing.
process.stdout.on('error', () => {});
try {
  // On a machine that is overloaded it must still be in time. Few may: systemd's LimitNICE= lets them.
  setPriority(-10);
} catch {
  // It is as good as its turn on the CPU then.
}
const sentry = new Sentry(message => process.stdout.write(`${JSON.stringify(message)}\n`));
process.stdin.on('data', chunk => sentry.hear(chunk));
process.stdin.on('error', () => {});
process.stdin.on('close', () => sentry.orphaned());
