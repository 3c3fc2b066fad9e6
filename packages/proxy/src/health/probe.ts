import { isIPv6 } from 'node:net';
import type { CheckConfig, SendProxyConfig, ServerConfig } from '../config/resolved.ts';
import type { AttemptTarget } from './attempt.ts';
import type { ProbeOutcome } from './check_status.ts';
import type { CircuitCause } from './circuit.ts';
import { probeHttp } from './probe_http.ts';
import { checkConnect, probeMqtt } from './probe_mqtt.ts';
import { probeTcp } from './probe_tcp.ts';

/** Asks the server at this literal address once, within the check's timeout. Never rejects. */
export type Probe = (host: string, signal: AbortSignal) => Promise<ProbeOutcome>;

/**
 * Makes the probe of one server. `clientId` is used by MQTT checks only, and must be this server's alone: brokers of
 * one cluster would end one another's checks for the same id.
 *
 * Where the server wants a PROXY header, a check on the server's own port begins with one that says LOCAL. A check on
 * another port has none: that listener is not the one which asked for it (HAProxy does the same).
 */
export function createProbe(
  server: ServerConfig,
  check: CheckConfig,
  clientId: string,
  encodeLocalHeader: (config: SendProxyConfig) => Buffer,
): Probe {
  const { probe } = check;
  const port = check.port ?? server.port;
  const header =
    server.sendProxy !== null && port === server.port ? encodeLocalHeader(server.sendProxy) : Buffer.alloc(0);
  const target = (host: string, signal: AbortSignal): AttemptTarget => ({
    host,
    port,
    timeoutMs: check.timeoutMs,
    signal,
  });
  switch (probe.type) {
    case 'tcp':
      return (host, signal) => probeTcp(target(host, signal), header);
    case 'mqtt': {
      const opening = Buffer.concat([header, checkConnect(clientId, probe.username, probe.password)]);
      return (host, signal) => probeMqtt(target(host, signal), opening);
    }
    case 'http': {
      const hostHeader = probe.host ?? `${isIPv6(server.host) ? `[${server.host}]` : server.host}:${port}`;
      return (host, signal) => probeHttp(target(host, signal), probe, hostHeader, header);
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
