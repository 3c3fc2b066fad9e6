import type { BindConfig, FrontendConfig } from '../config/resolved.ts';
import type { Access } from '../gate/access.ts';
import type { CidrSet } from '../gate/cidr.ts';
import type { GateAnswer } from '../gate/gate_answer.ts';
import type { TlsContexts } from '../tls/contexts.ts';

/** Everything that belongs to one bind of one worker. */
export interface Entry {
  readonly frontend: FrontendConfig;
  readonly bind: BindConfig;
  /** The name under which the bind is counted. */
  readonly bindScope: string;
  readonly trusted: CidrSet;
  /** Peers whose X-Forwarded-For is passed on. */
  readonly forwarders: CidrSet;
  readonly access: (source: string) => Access;
  /** Null: no TLS here. */
  readonly tls: TlsContexts | null;
  /** What may be recorded of a WebSocket client's frames, for a broker that wants them; null: no broker does. */
  readonly recordBytes: number | null;
  /** Asks the primary whether this source may come in; null: nothing limits it. */
  readonly enter: ((session: number, source: string) => Promise<GateAnswer>) | null;
  /** It waits for that no more: the question is answered `gone`. */
  leave(session: number): void;
}
