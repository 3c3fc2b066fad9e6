import type { WebSocketFacts } from '../stages.ts';
import { type Head, HeadReader, hasToken, listOf, valuesOf } from './http_head.ts';
import { acceptOf } from './upgrade_accept.ts';

/** `rest`: what came behind the 101, to wit the broker's first frames. */
export type AnswerReading =
  | { readonly kind: 'more' }
  | { readonly kind: 'open'; readonly rest: Buffer }
  /** `status` is null where it is no HTTP answer. The detail has none of the broker's text in it. */
  | { readonly kind: 'bad'; readonly status: number | null; readonly detail: string };

const STATUS_LINE = /^HTTP\/1\.1 (\d{3})(?: .*)?$/;

/** Reads a broker's answer to a replayed upgrade (RFC 6455, 4.2.2 and 4.1, last part). Limits: 16 KiB, 100 fields. */
export class UpgradeAnswerReader {
  readonly #accept: string;
  readonly #protocol: WebSocketFacts['protocol'];
  readonly #head: HeadReader = new HeadReader();

  constructor({ headers, protocol }: Pick<WebSocketFacts, 'headers' | 'protocol'>) {
    const [key = ''] = valuesOf(headers, 'sec-websocket-key');
    this.#accept = acceptOf(key);
    this.#protocol = protocol;
  }

  /** To be called until the answer is not `more`, and not again. */
  push(chunk: Buffer): AnswerReading {
    const reading = this.#head.push(chunk);
    if (reading.kind === 'more') return reading;
    if (reading.kind === 'bad') return bad(null, reading.detail);
    return this.#judge(reading.head);
  }

  #judge({ startLine, fields, rest }: Head): AnswerReading {
    const [, digits] = STATUS_LINE.exec(startLine) ?? [];
    if (digits === undefined) return bad(null, 'no HTTP/1.1 status line');
    const status = Number(digits);
    if (status !== 101) return bad(status, `HTTP status ${status} to the upgrade`);
    if (!hasToken(fields, 'upgrade', 'websocket') || !hasToken(fields, 'connection', 'upgrade')) {
      return bad(status, 'a 101 that does not upgrade to WebSocket');
    }
    const accepts = valuesOf(fields, 'sec-websocket-accept');
    if (accepts.length !== 1 || accepts[0] !== this.#accept) return bad(status, 'a wrong Sec-WebSocket-Accept');
    if (listOf(fields, 'sec-websocket-extensions').length > 0) return bad(status, 'extensions that were not offered');
    const protocols = valuesOf(fields, 'sec-websocket-protocol');
    // The client has been told already; frames of anything else would not be its own.
    if (protocols.length !== 1 || protocols[0] !== this.#protocol) {
      return bad(status, 'another sub-protocol than the client was told');
    }
    return { kind: 'open', rest };
  }
}

function bad(status: number | null, detail: string): AnswerReading {
  return { kind: 'bad', status, detail };
}
