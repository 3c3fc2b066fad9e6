import type { Refusal, RefusalReason } from '../preread/refusal.ts';
import type { Inbound } from '../stages.ts';
import { clientOf } from './live_facts.ts';
import type { ConnectError } from './session_facts.ts';

/** Clients that say nothing wrong, but too little, or when there is no room. */
const NOT_MALFORMED: ReadonlySet<RefusalReason> = new Set(['too_late', 'closed_early', 'preread_memory']);

/** Null: the CONNECT was not malformed. `head`: as preread lets it be shown. */
export function connectError(
  worker: string,
  inbound: Inbound,
  { reason, detail }: Refusal,
  seen: { readonly receivedBytes: number; readonly head: string },
): ConnectError | null {
  if (NOT_MALFORMED.has(reason)) return null;
  const { id, frontend, bind } = inbound;
  const who = { worker, session: id, frontend: frontend.name, bind, client: clientOf(inbound) };
  return { atMs: Date.now(), ...who, reason, detail, length: seen.receivedBytes, head: seen.head };
}
