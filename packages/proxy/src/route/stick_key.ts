import type { StickConfig } from '../config/resolved.ts';
import type { Connect, TlsFacts } from '../stages.ts';

/** What is known of a client beside its CONNECT. */
export interface PeerFacts {
  readonly sourceAddress: string;
  /** Of a certificate that was verified. */
  readonly certCn: string | null;
}

/**
 * What a client is stuck by; null: there is nothing to stick it by. In `mode: tcp` there is no CONNECT: then only
 * `source` and `cert_cn` have a value.
 */
export type StickValue = (connect: Connect | null, facts: PeerFacts) => string | null;

/**
 * Longer fields are not matched: a pattern may take time that grows with the square of the length, a client id may
 * have 64 KiB, and while a pattern runs its worker serves nobody.
 */
const MAX_MATCHED_CHARACTERS = 1024;

/** The common name of a client's certificate; null where there is none, or where nobody has verified it. */
export function verifiedCn(tls: TlsFacts | null): string | null {
  const certificate = tls?.clientCert ?? null;
  return certificate?.verified === true ? certificate.cn : null;
}

/**
 * Compiles a backend's `stick` once; what it answers is asked for each client. Null is answered for a field that is
 * empty or missing, for a pattern that does not match or whose first group is empty, for a field of more than 1,024
 * characters where there is a pattern, and with `clean_sessions: false` for a session that ends with its connection.
 */
export function compileStickValue(stick: StickConfig): StickValue {
  const pattern = stick.match === null ? null : new RegExp(stick.match, 'u');
  return (connect, facts) => {
    if (!stick.cleanSessions && connect !== null && !outlivesConnection(connect)) return null;
    const value = fieldOf(stick, connect, facts);
    if (value === null || value === '') return null;
    return pattern === null ? value : firstGroup(pattern, value);
  };
}

/**
 * Whether a session will be there when its client comes back: Clean Session 0 in 3.x ([MQTT-3.1.2-4] of 3.1.1); in 5.0
 * an expiry above 0, whatever Clean Start says, for that speaks of the session before this one (5.0, 3.1.2.4, 3.1.2.11.2).
 */
function outlivesConnection(connect: Connect): boolean {
  return connect.version === 5 ? connect.sessionExpiryS > 0 : !connect.clean;
}

function fieldOf(stick: StickConfig, connect: Connect | null, facts: PeerFacts): string | null {
  switch (stick.field) {
    case 'client_id':
      return connect?.clientId ?? null;
    case 'username':
      return connect?.username ?? null;
    case 'source':
      return facts.sourceAddress;
    case 'cert_cn':
      return facts.certCn;
  }
}

function firstGroup(pattern: RegExp, value: string): string | null {
  if (value.length > MAX_MATCHED_CHARACTERS) return null;
  return pattern.exec(value)?.[1] || null;
}
