import { FrameDecoder } from './frame_decoder.ts';

/** `bytes`: all that was inside the broker's frames so far, for readConnack. */
export type FramesReading =
  | { readonly kind: 'mqtt'; readonly bytes: Buffer }
  /** The broker closed the WebSocket; `bytes` came before that. `code` is null where it gave none. */
  | { readonly kind: 'closed'; readonly bytes: Buffer; readonly code: number | null }
  | { readonly kind: 'bad'; readonly detail: string };

/** A CONNACK has 64 KiB at most; so many bytes without one are no answer, in however many frames. */
const MAX_FRAMES_BYTES = 256 * 1024;

/**
 * Looks into a broker's frames for its CONNACK. Consumes nothing: chunks stay as they are, and the caller keeps them to
 * be sent to the client. To be dropped when the CONNACK is whole.
 */
export class ConnackFrameReader {
  readonly #decoder: FrameDecoder = new FrameDecoder('server');
  #seenBytes = 0;
  #parts: Buffer[] = [];

  /** The next chunk. Not to be called again after `closed` and `bad`. */
  push(chunk: Buffer): FramesReading {
    this.#seenBytes += chunk.length;
    if (this.#seenBytes > MAX_FRAMES_BYTES) return { kind: 'bad', detail: 'no CONNACK in 256 KiB of frames' };
    // The decoder writes over what it is given.
    const { data, end } = this.#decoder.push(Buffer.from(chunk));
    if (data.length > 0) this.#parts.push(data);
    if (end?.kind === 'bad') return { kind: 'bad', detail: `a WebSocket frame that is not legal: ${end.detail}` };
    const bytes = Buffer.concat(this.#parts);
    this.#parts = [bytes];
    return end === null ? { kind: 'mqtt', bytes } : { kind: 'closed', bytes, code: end.code };
  }
}
