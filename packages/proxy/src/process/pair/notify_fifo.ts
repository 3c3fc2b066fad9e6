import { execFile } from 'node:child_process';
import { closeSync, constants, fstatSync, openSync, type Stats } from 'node:fs';
import { Socket } from 'node:net';
import { errorCode, LimpetError } from '../../errors.ts';
import { isForeign } from './foreign.ts';

/** Both ways, so that it never ends while nobody writes, and opening it waits for nobody. */
const FLAGS = constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOFOLLOW;
/** Its group may write: keepalived is root, `limpet vip` need not be. */
const MODE = '0660';
const MAKING_MS = 5000;
/** keepalived's names are shorter. What is longer is no line of its. */
const LONGEST_LINE = 512;

/**
 * The FIFO in which whoever moves the addresses says who is active. It is read by the event loop: a read of a file would
 * hold a thread of the pool for as long as nobody writes.
 */
export class NotifyFifo {
  readonly #socket: Socket;
  readonly #heard: (line: string) => void;
  #rest = '';

  /** Begins to read. The file must be there: makeFifo(). @throws LimpetError NOTIFY_FIFO */
  constructor(path: string, heard: (line: string) => void) {
    this.#heard = heard;
    this.#socket = new Socket({ fd: openFifo(path), readable: true, writable: false });
    this.#socket.on('error', () => {});
    this.#socket.setEncoding('latin1');
    this.#socket.on('data', (chunk: Buffer | string) => this.#read(String(chunk)));
  }

  /** The file stays: whoever writes there may have it open. */
  close(): void {
    this.#socket.destroy();
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = (lines.pop() ?? '').slice(0, LONGEST_LINE);
    for (const line of lines) this.#heard(line.slice(0, LONGEST_LINE));
  }
}

/** Makes the FIFO where there is none. Node cannot, so `mkfifo` does. @throws LimpetError NOTIFY_FIFO */
export async function makeFifo(path: string): Promise<void> {
  // Whether it is there is seen when it is opened, for another process may make it at the same moment.
  const complaint = await mkfifo(path);
  try {
    closeSync(openFifo(path));
  } catch (error) {
    if (!(error instanceof LimpetError) || !error.message.endsWith('ENOENT')) throw error;
    throw broken(path, complaint ?? 'ENOENT');
  }
}

function mkfifo(path: string): Promise<string | null> {
  const env = { PATH: process.env.PATH ?? '/usr/bin:/bin' };
  return new Promise(resolve => {
    execFile('mkfifo', ['-m', MODE, '--', path], { env, timeout: MAKING_MS }, (error, _said, complaint) => {
      resolve(error === null ? null : complaint.trim().split('\n')[0] || errorCode(error));
    });
  });
}

function openFifo(path: string): number {
  let fifo: number;
  try {
    fifo = openSync(path, FLAGS);
  } catch (error) {
    throw broken(path, errorCode(error));
  }
  const why = distrust(fstatSync(fifo));
  if (why === null) return fifo;
  closeSync(fifo);
  throw broken(path, why);
}

/** Whoever writes there decides whether clients are reset. Null: only those may who are meant to. */
function distrust(status: Stats): string | null {
  if (!status.isFIFO()) return 'it is not a FIFO';
  if (isForeign(status)) return 'it belongs to another user';
  return (status.mode & 0o002) === 0 ? null : 'everybody may write there';
}

function broken(path: string, why: string): LimpetError {
  const remedy =
    'its folder must be there, and writable for the user that runs Limpet alone; global.vip.notify_fifo names it';
  return new LimpetError('NOTIFY_FIFO', `the FIFO ${path} cannot be used: ${why}`, remedy);
}
