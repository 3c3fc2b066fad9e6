import { type AttemptTarget, attempt } from './attempt.ts';
import type { ProbeOutcome } from './check_status.ts';

const NOTHING: Buffer = Buffer.alloc(0);

/**
 * Connects and leaves (HAProxy's `check` without more); with TLS, when the handshake is over. What the target's listener
 * wants first goes out before FIN, so that it has no reason to complain.
 */
export function probeTcp(target: AttemptTarget): Promise<ProbeOutcome> {
  const status = target.tls === null ? 'L4OK' : 'L6OK';
  return attempt(target, (_stream, answer) => answer({ ok: true, status, code: null, info: '' }, NOTHING));
}
