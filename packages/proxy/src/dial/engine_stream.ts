import type { Endpoint } from '../endpoint.ts';
import type { Engine } from '../native/engine.ts';
import { type DialListener, NativeStream } from '../native/native_stream.ts';
import type { Departure } from './departures.ts';
import type { OpenStream, TryEvents } from './stream.ts';

/** Plain TCP to a server. */
export interface PlainOrder {
  /** Literal. */
  readonly address: string;
  readonly port: number;
  /** A PROXY header goes out before everything else. */
  readonly header: Buffer | null;
  readonly first: Buffer;
}

/** A stream that the native engine opens. */
export class EngineStream implements OpenStream, DialListener {
  readonly #events: TryEvents;
  readonly #stream: NativeStream;

  constructor(engine: Engine, { address, port, header, first }: PlainOrder, from: Departure | null, events: TryEvents) {
    this.#events = events;
    const said = header === null ? first : Buffer.concat([header, first]);
    const order = { address, port, from: from?.address ?? null, fromPort: from?.port ?? 0, first: said };
    this.#stream = NativeStream.dial(engine, order, this, from === null ? null : () => from.release());
  }

  endpoint(): Endpoint | null {
    return this.#stream.isDialling || this.#stream.isGone ? null : this.#stream;
  }

  reset(): void {
    this.#stream.reset();
  }

  dialled(stream: NativeStream): void {
    this.#events.opened(stream);
  }

  notDialled(code: string, inBind: boolean): void {
    this.#events.failed(code, inBind);
  }
}
