/**
 * Configurations of servers and checks as `resolve.ts` would make them, and servers that misbehave.
 */

import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import type {
  BackendConfig,
  CheckConfig,
  ProbeConfig,
  SendProxyConfig,
  ServerConfig,
} from '../../../src/config/resolved.ts';
import { encodeProxyHeader } from '../../../src/dial/proxy_header.ts';

export const MQTT: ProbeConfig = { type: 'mqtt', username: null, password: null };

export function checkConfig(probe: ProbeConfig, changes: Partial<CheckConfig> = {}): CheckConfig {
  const times = { interMs: 200, fastinterMs: 50, downinterMs: 100, timeoutMs: 2000 };
  return { probe, ...times, rise: 2, fall: 3, port: null, ...changes };
}

export function serverConfig(name: string, port: number, changes: Partial<ServerConfig> = {}): ServerConfig {
  const rest = {
    weight: 1,
    backup: false,
    maxconn: null,
    slowstartMs: 0,
    source: [],
    sendProxy: null,
    tls: null,
    websocket: null,
  };
  return { name, host: '127.0.0.1', port, ...rest, check: checkConfig(MQTT), ...changes };
}

export function backendConfig(name: string, servers: readonly ServerConfig[]): BackendConfig {
  return {
    name,
    mode: 'mqtt',
    balance: 'roundrobin',
    stick: null,
    retries: 3,
    connectMs: 1000,
    connackMs: 1000,
    serverMs: null,
    onMarkedDown: 'shutdown_sessions',
    connectRate: null,
    servers,
  };
}

/** The PROXY header of a check, as the program gives it. */
export function localHeader(config: SendProxyConfig): Buffer {
  return encodeProxyHeader(config, 'local', '');
}

export interface Listener extends AsyncDisposable {
  readonly port: number;
  /** All that came, of all connections, in order of their beginning. */
  received(): Buffer[];
  /** Connections that are open now. */
  open(): number;
}

/** A plain TCP server that does with each connection what it is told. Disposing of it drops everything. */
export async function listen(serve: (socket: Socket) => void = () => {}): Promise<Listener> {
  const received: Buffer[][] = [];
  const sockets = new Set<Socket>();
  const server = createServer(socket => {
    const chunks: Buffer[] = [];
    received.push(chunks);
    sockets.add(socket);
    socket.on('data', chunk => chunks.push(chunk as Buffer));
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    serve(socket);
  });
  return {
    port: await portOf(server),
    received: () => received.map(chunks => Buffer.concat(chunks)),
    open: () => sockets.size,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Listens on any free port of 127.0.0.1. */
export async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}

/** A port whose queue of connections is full and that nobody accepts from: the kernel drops every further SYN. */
export async function listenDeaf(): Promise<{ readonly port: number } & AsyncDisposable> {
  const code = `
    const { parentPort } = require('node:worker_threads');
    const server = require('node:net').createServer();
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      parentPort.postMessage(server.address().port);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  const worker = new Worker(code, { eval: true });
  const [port] = (await once(worker, 'message')) as [number];
  // Linux lets one connection more than the backlog into the queue.
  const fillers = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
  for (const filler of fillers) filler.on('error', () => {});
  await Promise.all(fillers.map(filler => once(filler, 'connect')));
  return {
    port,
    async [Symbol.asyncDispose]() {
      for (const filler of fillers) filler.destroy();
      await worker.terminate();
    },
  };
}
