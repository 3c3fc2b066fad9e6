/** A session's stages as the tests of its log need them. */
import type { FrontendConfig } from '../../../src/config/resolved.ts';
import { NOBODY } from '../../../src/endpoint.ts';
import type { Connect, Inbound, Link } from '../../../src/stages.ts';
import { MemoryEndpoint } from '../relay/memory_endpoint.ts';

const FRONTEND: FrontendConfig = {
  name: 'mqtt',
  mode: 'mqtt',
  binds: [],
  defaultBackend: 'emqx',
  routes: [],
  sniRoutes: [],
  allow: [],
  deny: [],
  maxconn: null,
  connRate: null,
  perSource: { maxconn: null, connRate: null, connectRate: null },
  connectRate: null,
  handshakeMs: 1000,
  maxConnectSizeBytes: 1000,
  inspectMs: 1000,
  clientMs: null,
};

export const CONNECT: Connect = {
  version: 4,
  bridge: false,
  clientId: 'device',
  username: 'bob',
  clean: true,
  keepAliveS: 60,
  sessionExpiryS: 0,
};

export function inbound(over: Partial<Inbound> = {}): Inbound {
  const client = new MemoryEndpoint();
  client.attach(NOBODY);
  const acceptedAtMs = performance.now() - 1500;
  return {
    id: 7,
    frontend: FRONTEND,
    bind: '*:1883',
    bindScope: 'mqtt/*:1883#0',
    client,
    source: { address: '192.0.2.7', port: 50_123 },
    destination: { address: '192.0.2.1', port: 1883 },
    acceptedAtMs,
    openedAtMs: acceptedAtMs,
    tls: null,
    websocket: null,
    trustsForwarded: false,
    ...over,
  };
}

export function link(over: Partial<Link> = {}): Link {
  return {
    choice: { backend: 'emqx', server: 'emqx1', how: 'new', degraded: false },
    server: new MemoryEndpoint(),
    toClient: Buffer.alloc(4),
    framesSent: null,
    serverKeepAliveS: null,
    retries: 0,
    connectMs: 2.34,
    connackMs: 5.67,
    ...over,
  };
}
