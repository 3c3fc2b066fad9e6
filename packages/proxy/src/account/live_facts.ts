import type { Connect, How, Inbound, WebSocketFacts } from '../stages.ts';
import type { SessionFacts, SessionStage } from './session_facts.ts';

const VERSIONS = { 3: '3.1', 4: '3.1.1', 5: '5.0' } as const;

/** An MQTT version as people say it. */
export function versionWord(version: Connect['version']): '3.1' | '3.1.1' | '5.0' {
  return VERSIONS[version];
}

/** How far a session has come. */
export interface Progress {
  readonly stage: SessionStage;
  readonly backend: string | null;
  /** Where it is, or is being dialled. */
  readonly server: string | null;
  readonly how: How | null;
  readonly retries: number;
  /** `performance.now()`. */
  readonly linkedAtMs: number | null;
  readonly assignedClientId: string | null;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** Before it has a server. */
export function early(inbound: Inbound, stage: 'preread' | 'queue', backend: string | null): Progress {
  const { bytesIn, bytesOut } = inbound.client;
  const nobody = { server: null, how: null, retries: 0, linkedAtMs: null, assignedClientId: null };
  return { stage, backend, ...nobody, bytesIn, bytesOut };
}

/** A worker, as its sessions' facts name it. */
export interface FactsOf {
  readonly name: string;
  /** Whether user names may be shown. */
  readonly usernames: boolean;
}

/** A connection, as far as log lines and facts tell of it. */
export interface Who extends Pick<Inbound, 'id' | 'frontend' | 'bind' | 'source' | 'acceptedAtMs' | 'tls'> {
  /** Null, or false: none. */
  readonly websocket: WebSocketFacts | boolean | null;
}

/** A CONNECT, as far as log lines and facts tell of it. */
export type Said = Pick<Connect, 'version' | 'bridge' | 'clientId' | 'username' | 'keepAliveS'>;

/** `connect`: null before the CONNECT, and in mode tcp. */
export function sessionFacts(worker: FactsOf, inbound: Who, connect: Said | null, progress: Progress): SessionFacts {
  const { assignedClientId, linkedAtMs, ...far } = progress;
  const { id, frontend, bind, tls, websocket, acceptedAtMs } = inbound;
  return {
    ...{ worker: worker.name, id, frontend: frontend.name, bind, client: clientOf(inbound), ...far },
    clientId: assignedClientId ?? connect?.clientId ?? null,
    username: worker.usernames ? (connect?.username ?? null) : null,
    version: connect === null ? null : versionWord(connect.version),
    tls: tls?.version ?? null,
    websocket: websocket !== null && websocket !== false,
    acceptedAtMs: wallMs(acceptedAtMs),
    linkedAtMs: linkedAtMs === null ? null : wallMs(linkedAtMs),
    keepAliveS: connect?.keepAliveS ?? null,
  };
}

/** `address:port`, brackets around IPv6. */
export function clientOf({ source: { address, port } }: Pick<Inbound, 'source'>): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The wall clock may have been set since the process began: counted back from now. */
function wallMs(monotonicMs: number): number {
  return Math.round(Date.now() - (performance.now() - monotonicMs));
}
