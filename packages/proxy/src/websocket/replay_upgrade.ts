import type { WebSocketFacts } from '../stages.ts';
import { type Field, listOf, valuesOf } from './http_head.ts';

export interface Replay {
  /** What the client sent, and the sub-protocol that was agreed with it. */
  readonly facts: Pick<WebSocketFacts, 'headers' | 'protocol'>;
  /** `server.websocket.path`. */
  readonly path: string;
  /** The client's, with its `?`, or empty. A path with a query of its own is followed by the client's after `&`. */
  readonly query: string;
  /** The client's address, as the log has it. */
  readonly source: string;
  /** The client came over TLS. */
  readonly secure: boolean;
  /** The peer is one whose word counts: what it says of those before it is kept. */
  readonly trusted: boolean;
}

/** RFC 9110, 7.6.1: for one hop only, whether Connection names them or not. And what an upgrade has no use for. */
const ONE_HOP = new Set([
  'connection',
  'upgrade',
  'keep-alive',
  'proxy-connection',
  'proxy-authorization',
  'proxy-authenticate',
  'te',
  'trailer',
  'transfer-encoding',
  'content-length',
  'expect',
  'sec-websocket-extensions',
  'sec-websocket-protocol',
]);
/** What the broker decides by: Connection cannot take them away. */
const KEPT = /^(?:host|origin|authorization|cookie|sec-websocket-.*|x-forwarded-.*|forwarded|x-real-ip)$/;
/** Words of proxies. */
const FORWARDED = /^(?:x-forwarded-.*|forwarded|x-real-ip)$/;

/**
 * The upgrade request for a broker: the client's own header fields in their order and spelling, without what is for one hop
 * only, and without extensions, whose frames nobody here could read. The sub-protocol is the agreed one. What an untrusted
 * client says of proxies is dropped; a trusted one's X-Forwarded-For gets the client's address at its end.
 * X-Forwarded-Proto says `http` or `https`, as HAProxy's and nginx's users write it for WebSocket, too.
 */
export function replayUpgrade({ facts, path, query, source, secure, trusted }: Replay): Buffer {
  const { headers } = facts;
  const named = new Set(listOf(headers, 'connection').map(token => token.toLowerCase()));
  const isPassed = ([name]: Field): boolean => {
    const lower = name.toLowerCase();
    if (ONE_HOP.has(lower) || lower === 'x-forwarded-for') return false;
    if (FORWARDED.test(lower)) return trusted;
    return KEPT.test(lower) || !named.has(lower);
  };
  const before = trusted ? listOf(headers, 'x-forwarded-for') : [];
  const hasProto = trusted && valuesOf(headers, 'x-forwarded-proto').length > 0;
  const target = path.includes('?') && query !== '' ? `${path}&${query.slice(1)}` : `${path}${query}`;
  const lines = [
    `GET ${target} HTTP/1.1`,
    ...headers.filter(isPassed).map(([name, value]) => `${name}: ${value}`),
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Protocol: ${facts.protocol}`,
    `X-Forwarded-For: ${[...before, source].join(', ')}`,
    ...(hasProto ? [] : [`X-Forwarded-Proto: ${secure ? 'https' : 'http'}`]),
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}
