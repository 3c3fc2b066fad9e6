import { StateError } from '@limpet/state';
import { errorCode, LimpetError } from '../../errors.ts';
import type { ListenHandle } from '../../listen/listener.ts';
import type { ToPrimary, ToWorker } from '../wire.ts';
import { PrimaryLink } from './primary_link.ts';
import { Workplace } from './workplace.ts';

/**
 * A worker's life: the primary sends `start`, then views, sockets and answers; at the end `drain` and perhaps `close`.
 * Signals are the primary's (and Node's own answer to SIGUSR1 would be a debugger that anybody on this host can use): a terminal sends Ctrl-C to the whole group, and a service manager SIGTERM to every process.
 */
export function serve(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const) process.on(signal, () => {});
  const link = new PrimaryLink(batch => send(batch));
  process.on('uncaughtException', error => fail(link, error));
  // The primary is gone, or we have taken our leave. Before node:cluster, which would exit() here.
  process.prependListener('disconnect', die);
  let place: Workplace | null = null;
  process.on('message', (said: ToWorker[] | { bind: number }, handle?: ListenHandle) => {
    if (!Array.isArray(said)) {
      if (handle !== undefined) place?.listen(said.bind, handle);
      return;
    }
    for (const message of said) {
      if (message[0] === 'start') place = start(message, link);
      else place?.hear(message);
    }
  });
  link.say(['hello']);
}

function start(
  [, config, name, binds, kept, slot]: Extract<ToWorker, readonly ['start', ...unknown[]]>,
  link: PrimaryLink,
): Workplace {
  process.title = `limpet: worker ${name}`;
  return new Workplace(config, name, { binds, kept, slot }, link);
}

function send(batch: ToPrimary[]): void {
  // A primary that is gone takes its workers with it.
  if (process.connected) process.send?.(batch, undefined, undefined, () => {});
}

/** It is said, and the worker ends; the primary starts another one (P8). */
function fail(link: PrimaryLink, error: unknown): void {
  link.say(failureOf(error));
  link.flush();
  setTimeout(die, 100);
}

/** What nobody caught, and has no remedy of its own, is a bug of ours. */
export function failureOf(error: unknown): Extract<ToPrimary, readonly ['failed', ...unknown[]]> {
  if (error instanceof LimpetError || error instanceof StateError) {
    return ['failed', error.code, error.message, error.remedy];
  }
  const what = error instanceof Error ? (error.stack ?? error.message) : errorCode(error);
  return ['failed', 'WORKER_FAILED', what, 'this is a bug of Limpet: please report it with the lines above'];
}

/**
 * Ends the process at once. process.exit() takes V8 down first and now and then waits for ever for one of its threads
 * (nodejs/node issue 54918): a worker that serves nobody, with its listening sockets still open.
 */
function die(): void {
  process.kill(process.pid, 'SIGKILL');
}
