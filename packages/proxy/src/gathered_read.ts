/**
 * TLS hands over one record at a time, of 16 KiB at most. What one connection brings in one turn of the event loop is told
 * together, so that it goes on in fewer writes. Short records are told as they come: they are messages, not a stream.
 */
import { type Borrower, lend } from './lent_bytes.ts';
import { copyReadInto } from './static_read.ts';

const GATHERED_BYTES = 64 * 1024;
/** One write less saves more than waiting for the end of the turn costs. */
const WORTH_BYTES = 2048;

/** For all connections, one after the other. */
let memory: Buffer | null = null;
let gathered = 0;
let owner: Borrower | null = null;
let isDue = false;

/**
 * Keeps what was just read for later in this turn, if it is worth it: then it is told behind what was kept before. False:
 * it is the caller's, and all that was kept before has been told.
 */
export function gatherRead(bytes: number, to: Borrower): boolean {
  if (owner !== to || gathered + bytes > GATHERED_BYTES || bytes < WORTH_BYTES) tellGathered();
  if (bytes < WORTH_BYTES) return false;
  memory ??= Buffer.allocUnsafeSlow(GATHERED_BYTES);
  copyReadInto(memory, gathered, bytes);
  gathered += bytes;
  owner = to;
  if (!isDue) {
    isDue = true;
    setImmediate(endTurn);
  }
  return true;
}

/** Tells what is kept now. `ofWhom`: only if it is of this one. */
export function tellGathered(ofWhom: Borrower | null = owner): void {
  const [to, told, bytes] = [owner, memory, gathered];
  if (to === null || told === null || to !== ofWhom) return;
  owner = null;
  gathered = 0;
  memory = null;
  lend(told, 0, bytes, to);
  memory ??= told;
}

function endTurn(): void {
  isDue = false;
  tellGathered();
}
