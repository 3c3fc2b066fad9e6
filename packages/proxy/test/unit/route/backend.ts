/** Backends, servers and statuses as the tests of routing need them: what a test does not name is the plain default. */
import type { BackendConfig, ServerConfig } from '../../../src/config/resolved.ts';
import type { ServerStatus } from '../../../src/route/scheduler.ts';

export function server(name: string, over: Partial<ServerConfig> = {}): ServerConfig {
  return {
    name,
    host: '192.0.2.1',
    port: 1883,
    weight: 1,
    backup: false,
    maxconn: null,
    source: [],
    slowstartMs: 0,
    sendProxy: null,
    check: null,
    tls: null,
    websocket: null,
    ...over,
  };
}

export function backend(servers: readonly ServerConfig[], over: Partial<BackendConfig> = {}): BackendConfig {
  return {
    name: 'emqx',
    mode: 'mqtt',
    balance: 'roundrobin',
    stick: null,
    retries: 3,
    connectMs: 1000,
    connackMs: 2000,
    serverMs: null,
    onMarkedDown: 'shutdown_sessions',
    connectRate: null,
    servers,
    ...over,
  };
}

export function status(name: string, over: Partial<ServerStatus> = {}): ServerStatus {
  return {
    name,
    address: '192.0.2.1',
    port: 1883,
    up: true,
    contested: false,
    suspect: false,
    admin: 'ready',
    weight: 1,
    ...over,
  };
}
