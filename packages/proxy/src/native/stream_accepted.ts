import type { Endpoint } from '../endpoint.ts';
import { NOBODY } from '../endpoint.ts';
import type { HeaderReader, HeaderSource } from '../gate/header_source.ts';
import type { Accepted } from '../listen/accepted.ts';
import type { Address } from '../stages.ts';
import type { NativeStream } from './native_stream.ts';

/** A client that the native engine has accepted. */
export class StreamAccepted implements Accepted {
  readonly source: Address;
  readonly destination: Address;
  readonly socket = null;
  readonly #stream: NativeStream;

  constructor(stream: NativeStream, source: Address, destination: Address) {
    this.#stream = stream;
    this.source = source;
    this.destination = destination;
  }

  header(): HeaderSource {
    return new StreamSource(this.#stream);
  }

  open(skipped: number): Endpoint {
    if (skipped > 0) this.#stream.skip(skipped);
    return this.#stream;
  }

  close(): void {
    this.#stream.close();
  }

  reset(): void {
    this.#stream.reset();
  }

  get isGone(): boolean {
    return this.#stream.isGone;
  }
}

class StreamSource implements HeaderSource {
  readonly #stream: NativeStream;

  constructor(stream: NativeStream) {
    this.#stream = stream;
  }

  read(reader: HeaderReader): void {
    const gone = (): void => reader.gone();
    this.#stream.attach({ bytes: chunk => reader.bytes(chunk), drained() {}, ended: gone, closed: gone });
    this.#stream.resume();
  }

  giveBack(rest: Buffer): void {
    this.#stream.pause();
    this.#stream.attach(NOBODY);
    this.#stream.unread(rest);
  }
}
