/**
 * A worker without a primary: every client of a listener goes to one broker, in a session that a test may ask to leave.
 */
import { SessionLog } from '../../src/account/session_log.ts';
import type { BackendConfig } from '../../src/config/resolved.ts';
import type { Endpoint } from '../../src/endpoint.ts';
import type { LogFields } from '../../src/log.ts';
import { BackendView } from '../../src/route/view.ts';
import { Session } from '../../src/session.ts';
import type { WebSocketFacts } from '../../src/stages.ts';
import type { Workshop } from '../../src/workshop.ts';
import { TestMover } from '../kit/mover.ts';
import type { RelayKind } from '../kit/relay_kind.ts';
import { inbound } from '../unit/account/sessions.ts';
import { backend, server, status } from '../unit/route/backend.ts';
import { bench, TestVisit } from '../unit/workshop.ts';

export interface Evicting extends AsyncDisposable {
  readonly port: number;
  /** Oldest first, those that ended too. */
  readonly sessions: readonly TestVisit[];
  /** What the log calls the reasons of the ends. */
  readonly ends: readonly unknown[];
  /** Serves an endpoint that is not the listener's. */
  serve(client: Endpoint, websocket: WebSocketFacts | null): void;
}

/** Disposing of it ends all sessions. */
export async function serveEvicting(
  relay: RelayKind,
  brokerPort: number,
  over: Partial<BackendConfig> = {},
): Promise<Evicting> {
  const mover = new TestMover(relay);
  const place = { host: '127.0.0.1', port: brokerPort };
  const view = new BackendView(backend([server('a', place)], over));
  view.update([status('a', { address: '127.0.0.1', port: brokerPort })]);
  const { shop: plain } = bench(1_000_000, false);
  const route = { ...plain.routeOf('emqx'), view };
  const desk = { ...route.desk, place: async () => ({ server: 'a', stick: 'none' as const, displaced: null }) };
  const ends: unknown[] = [];
  const say = (event: string, { why }: LogFields = {}): void => void (event === 'end' && ends.push(why));
  const lines = { ...{ debug: say, info: say, warn: say, error: say }, format: 'json' as const };
  const counts = () => ({ total: 1, frontend: 1, backend: 1, server: 1 });
  const log = new SessionLog({ ...lines, line() {}, reopen() {}, async flush() {} }, false, counts);
  const shop: Workshop = {
    ...plain,
    relays: mover.relays,
    engine: mover.engine,
    log,
    routeOf: () => ({ ...route, desk }),
  };
  const sessions: TestVisit[] = [];
  const serve = (client: Endpoint, websocket: WebSocketFacts | null): void => {
    const session = new TestVisit(shop, sessions.length + 1);
    sessions.push(session);
    const arrived = inbound({ client, websocket, id: sessions.length, openedAtMs: performance.now() });
    void new Session(session, { ...arrived, frontend: { ...arrived.frontend, inspectMs: 10_000 } }, shop).run();
  };
  const { port } = await mover.listen({
    accepted: client => {
      serve(client.open(0), null);
      return true;
    },
  });
  return {
    port,
    sessions,
    ends,
    serve,
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.stop('killed');
      await Promise.all(sessions.map(({ ended }) => ended));
      mover[Symbol.dispose]();
      plain.wheel.close();
    },
  };
}
