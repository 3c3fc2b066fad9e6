/**
 * A listener that upgrades every connection, and what may be done with those that are open.
 */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { TimerWheel } from '../../../src/clock.ts';
import type { WebSocketBindConfig } from '../../../src/config/resolved.ts';
import { type Endpoint, NOBODY } from '../../../src/endpoint.ts';
import { Relay } from '../../../src/relay/relay.ts';
import { TcpEndpoint } from '../../../src/tcp_endpoint.ts';
import { acceptWebSocket, type Upgraded } from '../../../src/websocket/accept_websocket.ts';
import { replayUpgrade } from '../../../src/websocket/replay_upgrade.ts';
import { UpgradeAnswerReader } from '../../../src/websocket/upgrade_answer.ts';

export type Opened = Extract<Upgraded, { kind: 'open' }>;

export interface Serving extends AsyncDisposable {
  readonly port: number;
  /** What became of each connection, in the order in which it became it. */
  readonly upgraded: readonly Upgraded[];
  /** Connections that are not closed. */
  readonly sockets: ReadonlySet<Socket>;
}

export interface ServeOptions {
  readonly bind?: Partial<WebSocketBindConfig>;
  readonly deadlineMs?: number;
}

/** Hands every WebSocket that opens to `serve`. Disposing of it drops everything. */
export async function serveWebSocket(
  serve: (opened: Opened, wheel: TimerWheel) => void,
  { bind, deadlineMs = 10_000 }: ServeOptions = {},
): Promise<Serving> {
  const wheel = new TimerWheel();
  const upgraded: Upgraded[] = [];
  const sockets = new Set<Socket>();
  const config = { paths: ['/mqtt'], origins: null, idleMs: 60_000, trustForwarded: [], ...bind };
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, socket => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    const options = { deadlineMs, recordBytes: 1024 * 1024, wheel };
    void acceptWebSocket(new TcpEndpoint(socket), config, options).result.then(result => {
      upgraded.push(result);
      if (result.kind === 'open') serve(result, wheel);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    upgraded,
    sockets,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      wheel.close();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Sends back whatever comes. */
export function echo({ endpoint, facts }: Opened): void {
  facts.forget();
  endpoint.attach({
    bytes(chunk) {
      if (!endpoint.write(chunk)) endpoint.pause();
    },
    drained: () => endpoint.resume(),
    ended: () => endpoint.end(),
    closed() {},
  });
  endpoint.resume();
}

/** Unwraps: the broker at this port gets what is inside the frames. */
export function toPlain(port: number): (opened: Opened, wheel: TimerWheel) => void {
  return ({ endpoint, facts }, wheel) => {
    facts.forget();
    void new Relay(endpoint, dial(port), NO_LIMITS, wheel).run(Buffer.alloc(0));
  };
}

/** Waits for the first bytes inside the frames, replays the upgrade, and passes the frames as they are. */
export function toWebSocket(port: number, path: string): (opened: Opened, wheel: TimerWheel) => void {
  return ({ endpoint, facts }, wheel) => {
    endpoint.attach({
      ...NOBODY,
      bytes() {
        endpoint.pause();
        const server = dial(port);
        const answer = new UpgradeAnswerReader(facts);
        server.attach({
          ...NOBODY,
          bytes(chunk) {
            const reading = answer.push(chunk);
            if (reading.kind === 'more') return;
            if (reading.kind === 'bad') throw new Error(reading.detail);
            server.pause();
            const passed = facts.passThrough();
            server.write(passed.frames);
            void new Relay(passed.endpoint, server, NO_LIMITS, wheel).run(reading.rest);
          },
        });
        const { query } = facts;
        server.write(replayUpgrade({ facts, path, query, source: '192.0.2.7', secure: true, trusted: false }));
        server.resume();
      },
    });
    endpoint.resume();
  };
}

const NO_LIMITS = { clientIdleMs: null, serverIdleMs: null };

function dial(port: number): Endpoint {
  return new TcpEndpoint(connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true }));
}
