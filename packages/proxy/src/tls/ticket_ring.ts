import { randomBytes } from 'node:crypto';

/** A key of session tickets, as Node's hook wants it: AES-128-CBC and HMAC-SHA-256 (RFC 5077, section 4). */
export interface TicketKey {
  /** 16 bytes, in clear in every ticket: by it the key is found again. */
  readonly name: Buffer;
  /** 16 bytes. */
  readonly hmac: Buffer;
  /** 16 bytes. */
  readonly aes: Buffer;
  /** `Date.now()` from when on tickets are made with it. They are opened with it before. */
  readonly issueFromMs: number;
}

/** The same as JSON: base64, and the time. */
export interface WrittenTicketKey {
  readonly name: string;
  readonly hmac: string;
  readonly aes: string;
  readonly issueFromMs: number;
}

const PART_BYTES = 16;
/** More than rotation ever leaves in a ring; bounds what is read from outside. */
export const MAX_KEYS = 16;
/** Time for every worker and every proxy to hear of a key before somebody meets a ticket made with it. */
const LONGEST_NOTICE_MS = 60_000;

/** How long before its first ticket a new key is published. */
export function noticeMs(rotateMs: number): number {
  return Math.min(LONGEST_NOTICE_MS, rotateMs / 4);
}

/** How long a ticket can be used at least: two rotations. */
export function ticketLifetimeMs(rotateMs: number): number {
  return 2 * rotateMs;
}

export function makeTicketKey(issueFromMs: number): TicketKey {
  const part = (): Buffer => randomBytes(PART_BYTES);
  return { name: part(), hmac: part(), aes: part(), issueFromMs };
}

/**
 * What the ring should be now, newest key first: a new key in time before the newest has served its time, and none whose
 * last ticket has run out. Null: as it is. An empty ring gets a key that is used at once.
 */
export function advanceRing(ring: readonly TicketKey[], nowMs: number, rotateMs: number): readonly TicketKey[] | null {
  const [newest] = ring;
  if (newest === undefined) return [makeTicketKey(nowMs)];
  const kept = ring.filter((_, index) => {
    const successor = ring[index - 1];
    return successor === undefined || nowMs < successor.issueFromMs + ticketLifetimeMs(rotateMs);
  });
  const notice = noticeMs(rotateMs);
  const dueMs = newest.issueFromMs + rotateMs;
  if (nowMs >= dueMs - notice) return [makeTicketKey(Math.max(dueMs, nowMs + notice)), ...kept].slice(0, MAX_KEYS);
  return kept.length < ring.length ? kept : null;
}

/** The key that tickets are made with now: the newest whose time has come, else (clocks differ) the one that is next. */
export function issuingKey(ring: readonly TicketKey[], nowMs: number): TicketKey | undefined {
  const next = (): TicketKey | undefined => [...ring].sort((one, other) => one.issueFromMs - other.issueFromMs)[0];
  return ring.find(key => key.issueFromMs <= nowMs) ?? next();
}

export function writeRing(ring: readonly TicketKey[]): readonly WrittenTicketKey[] {
  return ring.map(({ name, hmac, aes, issueFromMs }) => ({
    name: name.toString('base64'),
    hmac: hmac.toString('base64'),
    aes: aes.toString('base64'),
    issueFromMs,
  }));
}

/** Null: it is no ring. */
export function readRing(written: unknown): readonly TicketKey[] | null {
  if (!Array.isArray(written) || written.length === 0 || written.length > MAX_KEYS) return null;
  const ring: TicketKey[] = [];
  for (const one of written as readonly Partial<WrittenTicketKey>[]) {
    const [name, hmac, aes] = [one?.name, one?.hmac, one?.aes].map(readPart);
    const issueFromMs = one?.issueFromMs;
    if (!name || !hmac || !aes || typeof issueFromMs !== 'number' || !Number.isFinite(issueFromMs)) return null;
    ring.push({ name, hmac, aes, issueFromMs });
  }
  return ring;
}

function readPart(text: string | undefined): Buffer | null {
  const part = Buffer.from(typeof text === 'string' ? text : '', 'base64');
  return part.length === PART_BYTES ? part : null;
}
