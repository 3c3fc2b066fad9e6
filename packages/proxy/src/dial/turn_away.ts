import type { ServiceWord } from '../preread/refusal.ts';
import type { Connect } from '../stages.ts';
import type { Connecting } from './connector.ts';

/** Why a client with a legal CONNECT got no broker. */
export type UnlinkedReason =
  | 'no_server'
  | 'server_full'
  | 'all_failed'
  | 'refused_by_server'
  | 'closed_by_server'
  | 'auth_failed'
  /** The client left before its CONNACK. */
  | 'client_left';

export interface TurnedAway {
  readonly reason: UnlinkedReason;
  readonly detail: string;
  /** The last server that was tried. */
  readonly server: string | null;
  readonly retries: number;
  /** What the client is told; null: nothing, as its broker told it nothing. */
  readonly answer: Buffer | null;
}

type Unlinked = Exclude<Connecting, { kind: 'linked' } | { kind: 'cancelled' }>;

/** What a client hears that could not be connected. `refuse` makes a CONNACK of our own. */
export function turnAway(
  version: Connect['version'],
  connecting: Unlinked,
  refuse: (version: Connect['version'], word: ServiceWord) => Buffer,
): TurnedAway {
  switch (connecting.kind) {
    case 'refused': {
      const { choice, code, retries, bytes } = connecting;
      const detail = `CONNACK 0x${code.toString(16).padStart(2, '0')}`;
      return { reason: 'refused_by_server', detail, server: choice.server, retries, answer: bytes };
    }
    case 'closed': {
      const { choice, retries } = connecting;
      return {
        reason: 'closed_by_server',
        detail: 'closed before CONNACK',
        server: choice.server,
        retries,
        answer: null,
      };
    }
    case 'auth_failed': {
      const { choice, detail, retries } = connecting;
      return { reason: 'auth_failed', detail, server: choice.server, retries, answer: null };
    }
    case 'nobody': {
      const { why, last, retries } = connecting;
      if (why === 'full') {
        const detail = 'every server has its maxconn';
        return { reason: 'server_full', detail, server: null, retries, answer: refuse(version, 'busy') };
      }
      const reason = why === 'down' ? 'no_server' : 'all_failed';
      const detail = last ?? 'no server is up and in service';
      return { reason, detail, server: null, retries, answer: refuse(version, 'server_unavailable') };
    }
  }
}
