import { isIPv6 } from 'node:net';
import type { CheckConfig, SendProxyConfig, ServerConfig } from '../config/resolved.ts';
import type { BrokerTls } from '../tls/dial_tls.ts';
import type { AttemptTarget } from './attempt.ts';
import type { ProbeOutcome } from './check_status.ts';
import type { CircuitCause } from './circuit.ts';
import { probeHttp } from './probe_http.ts';
import { checkConnect, probeMqtt } from './probe_mqtt.ts';
import { probeTcp } from './probe_tcp.ts';

/** Asks the server at this literal address once, within the check's timeout. Never rejects. */
export type Probe = (host: string, signal: AbortSignal) => Promise<ProbeOutcome>;

/** What a probe needs of others. */
export interface ProbeMeans {
  /** The PROXY header that says LOCAL. */
  encodeLocalHeader(config: SendProxyConfig): Buffer;
  /** TLS towards this server, asked for before every check; null: it is plain. */
  tls(): BrokerTls | null;
}

const NOTHING: Buffer = Buffer.alloc(0);

/**
 * Makes the probe of one server. `clientId` is used by MQTT checks only, and must be this server's alone: brokers of
 * one cluster would end one another's checks for the same id.
 *
 * A check on the server's own port is as a client's connection there: behind a PROXY header that says LOCAL, where the
 * server wants one, and within TLS, where it speaks that. A check on another port is plain: that listener is not the one
 * which asked for it (HAProxy does the same). It begins at the server's first source address: a firewall may know no other.
 */
export function createProbe(
  server: ServerConfig,
  check: CheckConfig,
  clientId: string,
  { encodeLocalHeader, tls }: ProbeMeans,
): Probe {
  const { probe } = check;
  const port = check.port ?? server.port;
  const isOwnPort = port === server.port;
  const header = server.sendProxy !== null && isOwnPort ? encodeLocalHeader(server.sendProxy) : NOTHING;
  const target = (host: string, signal: AbortSignal): AttemptTarget => ({
    host,
    port,
    source: server.source,
    timeoutMs: check.timeoutMs,
    signal,
    header,
    tls: isOwnPort ? tls() : null,
  });
  switch (probe.type) {
    case 'tcp':
      return (host, signal) => probeTcp(target(host, signal));
    case 'mqtt': {
      const connect = checkConnect(clientId, probe.username, probe.password);
      return (host, signal) => probeMqtt(target(host, signal), connect);
    }
    case 'http': {
      const hostHeader = probe.host ?? `${isIPv6(server.host) ? `[${server.host}]` : server.host}:${port}`;
      return (host, signal) => probeHttp(target(host, signal), probe, hostHeader);
    }
  }
}

/**
 * Which failures of clients a passing check disproves. Only one that goes to the server's own port says anything about
 * it: an HTTP API that answers beside a dead MQTT listener must not send clients back there.
 */
export function disproves(server: ServerConfig, check: CheckConfig): readonly CircuitCause[] {
  if (check.port !== null && check.port !== server.port) return [];
  return check.probe.type === 'mqtt' ? ['dial', 'connack_timeout'] : ['dial'];
}
