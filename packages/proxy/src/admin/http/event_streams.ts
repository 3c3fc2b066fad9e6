import type { AdminLevel } from '../../config/resolved.ts';
import { sourceKey } from '../../gate/source_key.ts';
import { safeJson } from '../../unsafe_text.ts';
import { isToldTo } from '../api/routes_look.ts';
import type { AdminEvent, Control } from '../control.ts';
import { pageView } from '../page/view.ts';
import { begin, type Exchange } from './answer.ts';

/** Of all sources; then the oldest of the source that has the most makes room. */
const MOST_STREAMS = 32;
/** Of one source (IPv6: one /64), so that no visitor keeps all others out. */
const MOST_OF_SOURCE = 8;
/** A reader that is so far behind is dropped: it connects anew and gets what is true then. */
const MOST_WAITING_BYTES = 1_048_576;
const HEARTBEAT_MS = 15_000;

interface Stream {
  readonly exchange: Exchange;
  readonly level: AdminLevel;
  readonly source: string;
}

/** Who of those who look leaves for another one; `refused`: the other one does not come in. */
export type Room = { readonly kind: 'free' | 'refused' } | { readonly kind: 'after'; readonly place: number };

/** Finds room for one of `source` more. @param sources of the streams that there are, the oldest first */
export function roomFor(source: string, sources: readonly string[]): Room {
  const counts = new Map([[source, 1]]);
  for (const one of sources) counts.set(one, (counts.get(one) ?? 0) + 1);
  if ((counts.get(source) ?? 0) > MOST_OF_SOURCE) return { kind: 'refused' };
  if (sources.length < MOST_STREAMS) return { kind: 'free' };
  const most = Math.max(...counts.values());
  const place = sources.findIndex(one => counts.get(one) === most);
  return { kind: 'after', place };
}

/** The page's live streams (server-sent events): `snapshot` at every refresh, `event` when something happens. */
export class EventStreams {
  readonly #control: Control;
  readonly #streams = new Set<Stream>();
  #refreshMs: number;
  #refresh: NodeJS.Timeout | null = null;
  #heartbeat: NodeJS.Timeout | null = null;
  #deafen: (() => void) | null = null;

  constructor(control: Control, refreshMs: number) {
    this.#control = control;
    this.#refreshMs = refreshMs;
  }

  get size(): number {
    return this.#streams.size;
  }

  /** Begins a stream; false: its source has 8 already, and nothing was answered. */
  open(exchange: Exchange, level: AdminLevel): boolean {
    const source = sourceKey(exchange.request.socket.remoteAddress ?? 'unknown');
    const streams = [...this.#streams];
    const room = roomFor(
      source,
      streams.map(stream => stream.source),
    );
    if (room.kind === 'refused') return false;
    if (room.kind === 'after') this.#dismiss(streams[room.place]);
    const stream = { exchange, level, source };
    this.#streams.add(stream);
    exchange.response.once('close', () => this.#forget(stream));
    // Proxies in front shall not wait for more, and where it ends the connection does.
    const headers = { 'X-Accel-Buffering': 'no', Connection: 'close' };
    begin(exchange, 200, 'text/event-stream; charset=utf-8', headers);
    this.#write(stream, snapshotText(this.#control, level));
    this.#start();
    return true;
  }

  /** From now on with this refresh. */
  reconfigure(refreshMs: number): void {
    if (refreshMs === this.#refreshMs) return;
    this.#refreshMs = refreshMs;
    this.#stop();
    this.#start();
  }

  /** Ends all streams: their readers connect anew, with the credentials that are right then. */
  endAll(): void {
    for (const { exchange } of this.#streams) exchange.response.end();
  }

  /** Nothing runs while nobody looks. */
  #start(): void {
    if (this.#streams.size === 0 || this.#refresh !== null) return;
    this.#refresh = setInterval(() => this.#tell(), this.#refreshMs);
    this.#heartbeat = setInterval(() => this.#toAll(() => ':\n\n'), HEARTBEAT_MS);
    this.#deafen = this.#control.onEvent(event => this.#told(event));
  }

  #stop(): void {
    if (this.#refresh !== null) clearInterval(this.#refresh);
    if (this.#heartbeat !== null) clearInterval(this.#heartbeat);
    this.#deafen?.();
    this.#refresh = null;
    this.#heartbeat = null;
    this.#deafen = null;
  }

  /** Its reader connects anew. */
  #dismiss(stream: Stream | undefined): void {
    if (stream === undefined) return;
    this.#streams.delete(stream);
    stream.exchange.response.destroy();
  }

  #forget(stream: Stream): void {
    this.#streams.delete(stream);
    if (this.#streams.size === 0) this.#stop();
  }

  /** Made once for each level, however many look. */
  #tell(): void {
    const texts = new Map<AdminLevel, string>();
    this.#toAll(level => {
      const text = texts.get(level) ?? snapshotText(this.#control, level);
      texts.set(level, text);
      return text;
    });
  }

  #told(event: AdminEvent): void {
    const text = eventText('event', event);
    this.#toAll(level => (isToldTo(level, event.event) ? text : ''));
  }

  #toAll(text: (level: AdminLevel) => string): void {
    for (const stream of this.#streams) this.#write(stream, text(stream.level));
  }

  #write({ exchange: { response } }: Stream, text: string): void {
    if (text === '' || response.writableEnded) return;
    if (response.writableLength + Buffer.byteLength(text) > MOST_WAITING_BYTES && response.writableLength > 0) {
      response.destroy();
    } else {
      response.write(text);
    }
  }
}

function snapshotText(control: Control, level: AdminLevel): string {
  return eventText('snapshot', pageView(control.snapshot(), level));
}

/** JSON has no line ends of its own, so it is one `data` line. */
function eventText(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${safeJson(data)}\n\n`;
}
