import { type AttemptTarget, attempt } from './attempt.ts';
import type { ProbeOutcome } from './check_status.ts';

/**
 * Connects and leaves (HAProxy's `check` without more). The header, empty where there is none to send, goes out before
 * FIN, so that a listener which wants a PROXY header has no reason to complain.
 */
export function probeTcp(target: AttemptTarget, header: Buffer): Promise<ProbeOutcome> {
  return attempt(target, (_socket, answer) => answer({ ok: true, status: 'L4OK', code: null, info: '' }, header));
}
