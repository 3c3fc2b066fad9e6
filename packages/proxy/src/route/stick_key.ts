import type { StickConfig } from '../config/resolved.ts';
import type { Connect } from '../stages.ts';

/** What a client is stuck by, as it stands in its CONNECT; null: there is nothing to stick it by. */
export type StickValue = (connect: Connect, sourceAddress: string) => string | null;

/**
 * Longer fields are not matched: a pattern may take time that grows with the square of the length, a client id may
 * have 64 KiB, and while a pattern runs its worker serves nobody.
 */
const MAX_MATCHED_CHARACTERS = 1024;

/**
 * Compiles a backend's `stick` once; what it answers is asked for each client. Null is answered for a field that is
 * empty or missing, for a pattern that does not match or whose first group is empty, for a field of more than 1,024
 * characters where there is a pattern, and with `clean_sessions: false` for a session that ends with its connection.
 */
export function compileStickValue(stick: StickConfig): StickValue {
  const pattern = stick.match === null ? null : new RegExp(stick.match, 'u');
  return (connect, sourceAddress) => {
    if (!stick.cleanSessions && !outlivesConnection(connect)) return null;
    const value = fieldOf(stick, connect, sourceAddress);
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

function fieldOf(stick: StickConfig, connect: Connect, sourceAddress: string): string | null {
  switch (stick.field) {
    case 'client_id':
      return connect.clientId;
    case 'username':
      return connect.username;
    case 'source':
      return sourceAddress;
  }
}

function firstGroup(pattern: RegExp, value: string): string | null {
  if (value.length > MAX_MATCHED_CHARACTERS) return null;
  return pattern.exec(value)?.[1] || null;
}
