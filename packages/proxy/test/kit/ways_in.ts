/**
 * A Limpet with the frontends `mqtt`, `mqtts`, `ws` and `wss`, each on a free port, or some of them.
 */
import type { Issued } from './certificates.ts';
import { type Limpet, startLimpet } from './limpet.ts';

type Way = 'mqtt' | 'mqtts' | 'ws' | 'wss';

export interface WaysInOptions {
  /** Default: all. Servers that get frames serve `ws` and `wss` only. */
  readonly ways?: readonly Way[];
  /** What the TLS binds show; without it there are none. */
  readonly certificate?: Issued;
  /** Of the one backend `brokers`. */
  readonly servers: object;
  /** Default 1. */
  readonly workers?: number;
  /** More keys of `global`, `defaults`, the WebSocket binds and the backend. */
  readonly global?: object;
  readonly defaults?: object;
  readonly websocket?: object;
  readonly backend?: object;
}

export function startWaysIn(options: WaysInOptions): Promise<Limpet> {
  const { certificate, workers = 1, ways = ['mqtt', 'mqtts', 'ws', 'wss'] } = options;
  const tls = certificate && { tls: { cert: certificate.cert, key: certificate.key } };
  const websocket = { websocket: { path: '/mqtt', ...options.websocket } };
  const binds = { mqtt: {}, ws: websocket, ...(tls && { mqtts: tls, wss: { ...tls, ...websocket } }) };
  const chosen = Object.entries(binds).filter(([way]) => ways.some(one => one === way));
  const frontend = (bind: object): object => ({
    bind: { address: '127.0.0.1:0', ...bind },
    default_backend: 'brokers',
  });
  return startLimpet({
    global: { name: 'lb1', workers, hard_stop_after: '2s', ...options.global },
    defaults: { ...options.defaults },
    frontends: Object.fromEntries(chosen.map(([way, bind]) => [way, frontend(bind)])),
    backends: { brokers: { check: false, servers: options.servers, ...options.backend } },
  });
}

/** A server that its WebSocket clients reach with their own frames. */
export function ownFrames(port: number): object {
  return { address: `127.0.0.1:${port}`, websocket: { path: '/mqtt' } };
}
