import type { ProxyHeader } from './proxy_header.ts';
import { decodeV1, MAX_V1_BYTES } from './proxy_v1.ts';
import { checkV2Head, decodeV2, SIGNATURE, V2_HEAD_BYTES } from './proxy_v2.ts';

/** `bad` says in words of ours what is wrong; it quotes nothing of what came. */
export type ProxyReading =
  | { readonly kind: 'more' }
  | {
      readonly kind: 'header';
      readonly header: ProxyHeader;
      /** How long the header was. */
      readonly headerBytes: number;
      /** What came behind it, of the same chunk. */
      readonly rest: Buffer;
    }
  | { readonly kind: 'bad'; readonly detail: string };

type Reading = Exclude<ProxyReading, { kind: 'more' }> | { readonly kind: 'more'; readonly wantedBytes: number };

const V1_START: Buffer = Buffer.from('PROXY ', 'latin1');
const MORE: ProxyReading = { kind: 'more' };
/** Chunks that are kept apart before they are joined: many small buffers would weigh more than their bytes. */
const MAX_CHUNKS = 64;
const CR = 0x0d;
const LF = 0x0a;

/**
 * Reads a PROXY header of version 1 or 2 ("The PROXY protocol", haproxy.org) from the chunks of a stream, however it is
 * cut. Holds at most 16 KiB and one chunk. What cannot become a header is `bad` at its first byte that says so.
 */
export class ProxyHeaderReader {
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** Nothing can be said with fewer bytes. */
  #wantedBytes = 1;

  /** The next chunk. Not to be called again after `header` or `bad`. */
  push(chunk: Buffer): ProxyReading {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes < this.#wantedBytes && this.#chunks.length < MAX_CHUNKS) return MORE;
    const bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks);
    this.#chunks = [bytes];
    if (this.#bytes < this.#wantedBytes) return MORE;
    const reading = read(bytes);
    if (reading.kind !== 'more') return reading;
    this.#wantedBytes = reading.wantedBytes;
    return MORE;
  }
}

function read(bytes: Buffer): Reading {
  if (beginsLike(bytes, SIGNATURE)) return readV2(bytes);
  if (beginsLike(bytes, V1_START)) return readV1(bytes);
  return { kind: 'bad', detail: 'there is no PROXY header' };
}

/** Whether the bytes are the beginning of `start`, or begin with it. */
function beginsLike(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length);
  return bytes.compare(start, 0, length, 0, length) === 0;
}

/** Section 2.1: "the receiver must not tolerate a single CR or LF character to end the line". */
function readV1(bytes: Buffer): Reading {
  const line = bytes.subarray(0, MAX_V1_BYTES);
  const end = line.findIndex(byte => byte === CR || byte === LF);
  const isWhole = end >= 0 && end + 1 < line.length;
  if (!isWhole && bytes.length < MAX_V1_BYTES && line[end] !== LF) {
    return { kind: 'more', wantedBytes: bytes.length + 1 };
  }
  if (!isWhole || line[end] !== CR || line[end + 1] !== LF) {
    return { kind: 'bad', detail: `version 1: no CRLF ends the line within ${MAX_V1_BYTES} bytes` };
  }
  const header = decodeV1(line.toString('latin1', 0, end));
  if (header === null) return { kind: 'bad', detail: 'version 1: the line is malformed' };
  return { kind: 'header', header, headerBytes: end + 2, rest: bytes.subarray(end + 2) };
}

/** Section 2.2: "the receiver must not start to parse an address before the whole address block is received". */
function readV2(bytes: Buffer): Reading {
  if (bytes.length < V2_HEAD_BYTES) return { kind: 'more', wantedBytes: bytes.length + 1 };
  const head = checkV2Head(bytes);
  if (head.kind === 'bad') return { kind: 'bad', detail: `version 2: ${head.detail}` };
  const headerBytes = V2_HEAD_BYTES + head.bytes;
  if (bytes.length < headerBytes) return { kind: 'more', wantedBytes: headerBytes };
  const reading = decodeV2(bytes.subarray(0, headerBytes));
  if (reading.kind === 'bad') return { kind: 'bad', detail: `version 2: ${reading.detail}` };
  return { kind: 'header', header: reading.header, headerBytes, rest: bytes.subarray(headerBytes) };
}
