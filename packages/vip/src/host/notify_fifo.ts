import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs';
import type { Word } from '../pair/state.ts';

/** What became of a line. `nobody`: no reader, which is not an error. */
export type Told = 'told' | 'nobody' | 'not_a_fifo' | 'failed';

/**
 * Writes a line as keepalived does: `INSTANCE "limpet" MASTER 100`. Never waits: a FIFO that nobody reads, or that is full,
 * is passed by.
 */
export function tellFifo(path: string, name: string, word: Word, priority: number): Told {
  let file: number | null = null;
  try {
    file = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    if (!fstatSync(file).isFIFO()) return 'not_a_fifo';
    writeSync(file, `INSTANCE "${name}" ${word} ${priority}\n`);
    return 'told';
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return code === 'ENXIO' || code === 'ENOENT' || code === 'EAGAIN' || code === 'EPIPE' ? 'nobody' : 'failed';
  } finally {
    if (file !== null) closeSync(file);
  }
}
