import type { RelayLimits } from './relay.ts';

/** The timeouts that an operator set; null: none. */
export interface OperatorTimeouts {
  readonly clientMs: number | null;
  readonly serverMs: number | null;
}

/**
 * The idle limits of a session. A client must be heard at least once in 1.5 times its keep-alive [MQTT-3.1.2-24]; in
 * 5.0 the broker's Server Keep Alive replaces what the client asked for [MQTT-3.1.2-21]. Whichever is longer counts:
 * a client that does not know better is never cut off early. With keep-alive 0 only the operator's own limits hold.
 */
export function idleLimits(
  keepAliveS: number,
  serverKeepAliveS: number | null,
  operator: OperatorTimeouts,
): RelayLimits {
  const agreedS = serverKeepAliveS === null ? keepAliveS : serverKeepAliveS;
  if (agreedS === 0) return { clientIdleMs: operator.clientMs, serverIdleMs: operator.serverMs };
  const seconds = keepAliveS === 0 ? agreedS : Math.max(agreedS, keepAliveS);
  return { clientIdleMs: seconds * 1500, serverIdleMs: null };
}
