/**
 * The addon as it is, without what TypeScript makes of it: an engine whose events are kept until a test asks for them.
 */
import { closeSync } from 'node:fs';
import { EVENT_LENGTH, Event, type NativeAddon, type NativeEngine } from '../../../src/native/addon.ts';
import { until } from '../../kit/condition.ts';
import { freePort } from '../../kit/port.ts';

export interface Told {
  readonly kind: number;
  readonly id: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly bytes: Buffer;
}

export class RawEngine implements Disposable {
  readonly native: NativeEngine;
  /** Everything that was told, in order. */
  readonly told: Told[] = [];
  /** Called for each event, within its batch. */
  onEvent: (told: Told) => void = () => {};
  readonly #addon: NativeAddon;
  #isDown = false;

  constructor(addon: NativeAddon) {
    const events = new Float64Array(256 * EVENT_LENGTH);
    const payload = new Uint8Array(128 * 1024);
    const onEvents = (count: number): void => {
      for (let at = 0; at < count * EVENT_LENGTH; at += EVENT_LENGTH) {
        const [kind = 0, id = 0, a = 0, b = 0, c = 0, length = 0] = events.subarray(at, at + EVENT_LENGTH);
        if (kind === 0) continue;
        events[at] = 0;
        const bytes = kind === Event.linkEnded ? Buffer.alloc(0) : Buffer.from(payload.subarray(c, c + length));
        const told = { kind, id, a, b, c, bytes };
        this.told.push(told);
        this.onEvent(told);
      }
    };
    this.#addon = addon;
    this.native = addon.createEngine({ events, payload, onEvents, pipes: 64 });
  }

  /** Listens, by default on loopback. Answers the listener and its port. */
  async listen(credit: number, address = '127.0.0.1'): Promise<{ listener: number; port: number }> {
    const port = await freePort();
    const descriptor = this.#addon.bind(address, port, true);
    const listener = this.native.listen(descriptor, 100);
    closeSync(descriptor);
    this.native.credit(listener, credit);
    return { listener, port };
  }

  /** The first event of this kind, of any number or of this one. */
  async event(kind: number, id: number | null = null): Promise<Told> {
    const found = (): Told | undefined => this.told.find(told => told.kind === kind && (id === null || told.id === id));
    return until(found, { what: `event ${kind} of ${id}`, seen: () => JSON.stringify(this.told.slice(-20)) });
  }

  kindsOf(id: number): readonly number[] {
    return this.told.filter(told => told.id === id).map(told => told.kind);
  }

  bytesOf(id: number): Buffer {
    return Buffer.concat(this.told.filter(told => told.id === id && told.kind === Event.bytes).map(told => told.bytes));
  }

  /** Streams and links that are there, and bytes that wait. */
  census(): { streams: number; links: number; waiting: number } {
    const out = new Float64Array(5);
    this.native.census(out);
    return { streams: out[0] ?? -1, links: out[1] ?? -1, waiting: out[3] ?? -1 };
  }

  [Symbol.dispose](): void {
    if (!this.#isDown) this.native.shutDown();
    this.#isDown = true;
  }
}
