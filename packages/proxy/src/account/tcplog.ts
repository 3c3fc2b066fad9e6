import type { Inbound, Link, Outcome, RelayEnd } from '../stages.ts';
import type { WorkerCounts } from './registry.ts';
import { stamp } from './stamp.ts';

/** A session without a broker, as HAProxy's line needs it. */
export interface TcplogUnlinked {
  readonly backend: string;
  readonly server: string | null;
  readonly retries: number;
}

/**
 * HAProxy's termination state (its configuration manual, 8.5): who ended it first, and in which phase. C client, S
 * server, P proxy, K killed, D marked down, c and s timeouts; R request, C connect, D data, `-` over.
 */
const STATES: Readonly<Record<RelayEnd, string>> = {
  client_closed: '--',
  server_closed: '--',
  client_reset: 'CD',
  server_reset: 'SD',
  client_idle: 'cD',
  server_idle: 'sD',
  server_down: 'DD',
  maintenance: 'KD',
  drained: 'KD',
  shutdown: 'KD',
  killed: 'KD',
  standby: 'KD',
};

const REFUSAL_STATES: Readonly<Record<string, string>> = {
  too_late: 'cR',
  closed_early: 'CR',
  no_server: 'SC',
  all_failed: 'SC',
  closed_by_server: 'SC',
  refused_by_server: 'SC',
  server_full: 'PC',
  preread_memory: 'RR',
};

/**
 * HAProxy's `option tcplog`: `%ci:%cp [%t] %ft %b/%s %Tw/%Tc/%Tt %B %ts %ac/%fc/%bc/%sc/%rc %sq/%bq`. The connection
 * counts are this worker's, as HAProxy's are one process's; there are no queues, so these are 0.
 */
export function tcplogLine(
  inbound: Pick<Inbound, 'source' | 'frontend'>,
  session: Pick<Link, 'choice' | 'retries' | 'connectMs'> | TcplogUnlinked,
  end: Outcome | string,
  durationMs: number,
  counts: WorkerCounts,
): string {
  const linked = 'choice' in session;
  const backend = linked ? session.choice.backend : session.backend;
  const server = linked ? session.choice.server : (session.server ?? '<NOSRV>');
  const state = typeof end === 'string' ? (REFUSAL_STATES[end] ?? 'PR') : STATES[end.end];
  const acceptedAtMs = Date.now() - durationMs;
  const times = linked ? `0/${Math.round(session.connectMs)}` : '-1/-1';
  const { total, frontend, backend: there, server: here } = counts;
  return [
    `${inbound.source.address}:${inbound.source.port}`,
    `[${stamp(acceptedAtMs)}]`,
    inbound.frontend.name,
    `${backend}/${server}`,
    `${times}/${Math.round(durationMs)}`,
    typeof end === 'string' ? 0 : end.bytesOut,
    state,
    `${total}/${frontend}/${there}/${here}/${session.retries}`,
    '0/0',
  ].join(' ');
}
