/** An engine that the test plays. */
import type { ListenHandle } from '../../../src/listen/listener.ts';
import { CONTRACT, type EngineOptions, EVENT_LENGTH, type NativeEngine } from '../../../src/native/addon.ts';
import { Engine } from '../../../src/native/engine.ts';

/** An engine whose events the test writes, and that notes its orders. */
export class Played {
  readonly engine: Engine;
  readonly orders: string[] = [];
  #options: EngineOptions | null = null;

  constructor() {
    const native = new Proxy({} as NativeEngine, {
      get: (_, name: string) => (id: number) => {
        this.orders.push(`${name} ${id}`);
        return name === 'write' ? true : 7;
      },
    });
    const createEngine = (options: EngineOptions): NativeEngine => {
      this.#options = options;
      return native;
    };
    this.engine = new Engine({ contract: CONTRACT, bind: () => 0, pin() {}, createEngine }, 0);
  }

  /** A batch: kind, id, a, b, and the bytes of each event. */
  tell(...events: readonly (readonly [kind: number, id: number, a: number, b: number, bytes: string])[]): void {
    const options = this.#options;
    if (options === null) throw new Error('there is no engine');
    let at = 0;
    events.forEach(([kind, id, a, b, text], index) => {
      const bytes = Buffer.from(text, 'latin1');
      options.payload.set(bytes, at);
      options.events.set([kind, id, a, b, at, bytes.length], index * EVENT_LENGTH);
      at += bytes.length;
    });
    options.onEvents(events.length);
    options.payload.fill(0xee);
  }

  /** As the engine takes an event back that it has written already. */
  takeBack(index: number): void {
    if (this.#options !== null) this.#options.events[index * EVENT_LENGTH] = 0;
  }
}

/** What the primary hands over: bound to all addresses. */
export function playedHandle(): ListenHandle {
  const bound = {
    fd: 3,
    close() {},
    getsockname: (out: object) => Object.assign(out, { address: '0.0.0.0', port: 1883 }) && 0,
  };
  return bound as ListenHandle;
}
