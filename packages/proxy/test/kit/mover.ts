/**
 * What moves bytes in a worker, without the worker: an engine where the relay is native, and endpoints of either kind.
 */
import { TimerWheel } from '../../src/clock.ts';
import type { BindConfig } from '../../src/config/resolved.ts';
import type { Endpoint } from '../../src/endpoint.ts';
import type { Accepted } from '../../src/listen/accepted.ts';
import { type BindListener, Listener, type ListenerEvents, type ListenHandle } from '../../src/listen/listener.ts';
import type { Engine } from '../../src/native/engine.ts';
import { NativeListener } from '../../src/native/native_listener.ts';
import { bindAll } from '../../src/process/sockets.ts';
import { openMover } from '../../src/process/worker/mover.ts';
import type { Relays } from '../../src/relay/relays.ts';
import { until } from './condition.ts';
import { connectRaw, type RawOptions, type RawSocket } from './raw_socket.ts';
import type { RelayKind } from './relay_kind.ts';

const BIND: BindConfig = {
  label: '127.0.0.1:0',
  host: '127.0.0.1',
  port: 0,
  acceptProxy: [],
  tls: null,
  websocket: null,
};

/** The events of a listener with room, to which nothing happens. */
export const QUIET: ListenerEvents = {
  accepted: () => true,
  acceptedAnyway() {},
  room: () => 1,
  isFull: () => false,
  starved() {},
  failed() {},
  wantsHandle() {},
};

/** Disposing of it closes everything that it has accepted or dialled natively. */
export class TestMover implements Disposable {
  readonly wheel: TimerWheel = new TimerWheel();
  readonly engine: Engine | null;
  readonly relays: Relays;
  readonly settle: () => void;
  readonly #kept: (() => void)[] = [];

  constructor(kind: RelayKind) {
    const mover = openMover({ relay: kind, cpuMap: null }, 0, this.wheel);
    this.engine = mover.engine;
    this.relays = mover.relays;
    this.settle = () => mover.settle();
  }

  listener(events: ListenerEvents): BindListener {
    return this.engine === null ? new Listener(events) : new NativeListener(this.engine, events);
  }

  /** A listener that listens, and its port. */
  async listen(events: Partial<ListenerEvents>, host = '127.0.0.1'): Promise<{ listener: BindListener; port: number }> {
    const [bound] = await bindAll({ ...BIND, host }, 1);
    if (bound === undefined) throw new Error('nothing is bound');
    const listener = this.listener({ ...QUIET, ...events });
    listener.start(bound.handle as ListenHandle);
    await listener.opened;
    this.#kept.push(() => listener.close());
    return { listener, port: bound.port };
  }

  /** Both ends of one connection: as it was accepted, and its peer. */
  async accept(options: RawOptions = {}): Promise<{ accepted: Accepted; peer: RawSocket }> {
    const clients: Accepted[] = [];
    const { listener, port } = await this.listen({ accepted: client => clients.push(client) > 0 });
    const peer = await connectRaw(port, options);
    this.#kept.push(() => peer[Symbol.dispose]());
    const accepted = await until(() => clients[0], { what: 'a client to be accepted' });
    listener.close();
    this.#kept.push(() => accepted.reset());
    return { accepted, peer };
  }

  /** How many streams the engine has. */
  streams(): number {
    const census = new Float64Array(8);
    this.engine?.native.census(census);
    return census[0] ?? 0;
  }

  async pair(): Promise<{ ours: Endpoint; peer: RawSocket }> {
    const { accepted, peer } = await this.accept();
    return { ours: accepted.open(0), peer };
  }

  [Symbol.dispose](): void {
    for (const end of this.#kept) end();
    this.engine?.shutDown();
    this.wheel.close();
  }
}
