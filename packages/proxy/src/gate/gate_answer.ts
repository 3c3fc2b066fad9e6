import type { BackendConfig, FrontendConfig } from '../config/resolved.ts';
import type { SourceRefusal } from './source_counts.ts';

/** Why somebody is not let in. */
export type GateRefusal =
  | SourceRefusal
  | 'source_connect_rate'
  | 'frontend_conn_rate'
  | 'frontend_queue_full'
  | 'frontend_queue_timeout'
  | 'backend_queue_full'
  | 'backend_queue_timeout'
  | 'takeover_queue_full'
  | 'takeover_queue_timeout';

export type GateAnswer =
  | { readonly kind: 'in' }
  | { readonly kind: 'refused'; readonly reason: GateRefusal }
  /** It has left while it waited. */
  | { readonly kind: 'gone' };

/** Who asks. A session has one question at a time. */
export interface Visitor {
  readonly worker: number;
  /** The worker's number of it. */
  readonly session: number;
}

/** A connection that has been accepted; `source` after a PROXY header, where there is one. */
export interface Entering {
  readonly frontend: string;
  readonly source: string;
}

/** A CONNECT that has been read and routed. */
export interface Connecting extends Entering {
  readonly backend: string;
}

/** Whether the primary must be asked about each new connection of a frontend, and told when it ends. */
export function asksToEnter({ perSource, connRate }: FrontendConfig): boolean {
  return perSource.maxconn !== null || perSource.connRate !== null || connRate !== null;
}

/** Whether the primary must be asked about each CONNECT that goes from the frontend to the backend. */
export function asksToConnect(frontend: FrontendConfig, backend: BackendConfig): boolean {
  return frontend.perSource.connectRate !== null || frontend.connectRate !== null || backend.connectRate !== null;
}
