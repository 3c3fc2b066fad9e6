import { type Endpoint, type EndpointListener, NOBODY } from '../../../src/endpoint.ts';

/** The stream below a WebSocket, in memory: what was written to it, and a test says what comes of it and when it is full. */
export class WireEndpoint implements Endpoint {
  readonly written: Buffer[] = [];
  /** What was asked for, in order: `end`, `close`, `abort`, `reset`. */
  readonly asked: string[] = [];
  isFull = false;
  isFlowing = false;
  bytesIn = 0;
  bytesOut = 0;
  #listener: EndpointListener = NOBODY;

  attach(listener: EndpointListener): void {
    this.#listener = listener;
  }
  resume(): void {
    this.isFlowing = true;
  }
  pause(): void {
    this.isFlowing = false;
  }
  write(bytes: Buffer): boolean {
    this.written.push(bytes);
    return !this.isFull;
  }
  end(): void {
    this.asked.push('end');
  }
  close(): void {
    this.asked.push('close');
  }
  abort(): void {
    this.asked.push('abort');
  }
  reset(): void {
    this.asked.push('reset');
  }
  keepAlive(): void {}

  /** Everything written so far, in hex. */
  hex(): string {
    return Buffer.concat(this.written).toString('hex');
  }

  receive(bytes: Buffer): void {
    if (!this.isFlowing) throw new Error('bytes for a paused endpoint');
    this.bytesIn += bytes.length;
    this.#listener.bytes(Buffer.from(bytes));
  }
  drain(): void {
    this.isFull = false;
    this.#listener.drained();
  }
  fin(): void {
    this.#listener.ended();
  }
  gone(code: string | null): void {
    this.#listener.closed(code);
  }
}

/** Writes down what an endpoint tells. */
export class Hearing implements EndpointListener {
  readonly told: string[] = [];
  onBytes: () => void = () => {};

  bytes(chunk: Buffer): void {
    this.told.push(chunk.toString('latin1'));
    this.onBytes();
  }
  drained(): void {
    this.told.push('(drained)');
  }
  ended(): void {
    this.told.push('(ended)');
  }
  closed(code: string | null): void {
    this.told.push(`(closed ${code})`);
  }
}
