import type { WebSocketBindConfig } from '../config/resolved.ts';
import { type Field, type Head, HeadReader, hasToken, isToken, listOf, valuesOf } from './http_head.ts';

/** Sub-protocols, the one that is taken first (MQTT 5.0 and 3.1.1, 6; `mqttv3.1` is what older clients say). */
export const SUB_PROTOCOLS = ['mqtt', 'mqttv3.1'] as const;
export type SubProtocol = (typeof SUB_PROTOCOLS)[number];

/** A client's upgrade that may be accepted. */
export interface UpgradeRequest {
  /** One of the bind's, without the query. */
  readonly path: string;
  /** `?` and what follows, or empty. It may hold a token: never to be logged. */
  readonly query: string;
  readonly protocol: SubProtocol;
  readonly key: string;
  readonly fields: readonly Field[];
}

export type UpgradeFault =
  | 'bad_request'
  | 'too_large'
  | 'wrong_path'
  | 'no_upgrade'
  | 'wrong_origin'
  | 'no_subprotocol';

export interface BadUpgrade {
  readonly kind: 'bad';
  readonly status: 400 | 403 | 404 | 405 | 426 | 431 | 505;
  readonly reason: UpgradeFault;
  /** What is wrong, in words of ours: nothing that the client wrote is in it. */
  readonly detail: string;
}

/** `rest`: what came behind the request, to wit the first frames. */
export type UpgradeReading =
  | { readonly kind: 'more' }
  | { readonly kind: 'request'; readonly request: UpgradeRequest; readonly rest: Buffer }
  | BadUpgrade;

type Served = Pick<WebSocketBindConfig, 'paths' | 'origins'>;

/** Reads the opening handshake of a client (RFC 6455, 4.2.1) as its bytes come. Limits: 16 KiB, 100 fields. */
export class UpgradeRequestReader {
  readonly #bind: Served;
  readonly #head: HeadReader = new HeadReader();

  constructor(bind: Served) {
    this.#bind = bind;
  }

  /** To be called until the answer is not `more`, and not again. */
  push(chunk: Buffer): UpgradeReading {
    const reading = this.#head.push(chunk);
    if (reading.kind === 'more') return reading;
    if (reading.kind === 'bad') {
      return bad(reading.status, reading.status === 431 ? 'too_large' : 'bad_request', reading.detail);
    }
    return judgeUpgrade(reading.head, this.#bind);
  }
}

/** Methods and versions are case-sensitive; a target has no white space in it (RFC 9112, 3). */
const REQUEST_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([\x21-\x7e]+) (HTTP\/\d\.\d)$/;
/** RFC 6455, 4.2.1: an absolute path, or an absolute http(s) URI with one. */
const TARGET = /^(?:https?:\/\/[^/?#]+)?(\/[^?#]*)(\?[^#]*)?$/i;
const HOST = /^[A-Za-z0-9\-._~%!$&'()*+;=]*(?:\[[0-9A-Za-z:.%]*\])?(?::\d{0,5})?$/;
/** 16 bytes in base64. The last digit before the padding carries four bits, two of which do not count. */
const KEY = /^[+/0-9A-Za-z]{22}==$/;

/** The first thing that is wrong decides: syntax, then path, then the upgrade, then who may come. */
function judgeUpgrade({ startLine, fields, rest }: Head, bind: Served): UpgradeReading {
  const line = REQUEST_LINE.exec(startLine);
  if (line === null) return malformed('no request line');
  const [, method, target = '', version] = line;
  if (version !== 'HTTP/1.1') return bad(505, 'bad_request', 'not HTTP/1.1');
  const broken = brokenFraming(fields);
  if (broken !== null) return malformed(broken);
  if (method !== 'GET') return bad(405, 'bad_request', 'not GET');
  const [, written, query = ''] = TARGET.exec(target) ?? [];
  if (written === undefined) return malformed('a request target that is no path');
  // The bind's own string: a piece of the request's would keep all of it in memory.
  const path = bind.paths.find(served => served === written);
  if (path === undefined) return bad(404, 'wrong_path', 'a path that is not served');
  const wrong = wrongUpgrade(fields) ?? wrongOrigin(fields, bind.origins);
  if (wrong !== null) return wrong;
  const protocol = choose(listOf(fields, 'sec-websocket-protocol'));
  if (typeof protocol !== 'string') return protocol;
  const [key = ''] = valuesOf(fields, 'sec-websocket-key');
  return { kind: 'request', request: { path, query, protocol, key, fields }, rest };
}

/** RFC 9112, 3.2 and 6: exactly one Host; an upgrade has no body, or its bytes would be taken for frames. */
function brokenFraming(fields: readonly Field[]): string | null {
  const hosts = valuesOf(fields, 'host');
  if (hosts.length !== 1 || !HOST.test(hosts[0] ?? '')) return 'not exactly one proper Host';
  if (valuesOf(fields, 'transfer-encoding').length > 0) return 'a request with a body';
  if (valuesOf(fields, 'content-length').some(length => length !== '0')) return 'a request with a body';
  return null;
}

/** RFC 6455, 4.2.1, items 3 to 6, and 4.4. */
function wrongUpgrade(fields: readonly Field[]): BadUpgrade | null {
  if (!hasToken(fields, 'upgrade', 'websocket') || !hasToken(fields, 'connection', 'upgrade')) {
    return bad(426, 'no_upgrade', 'no upgrade to WebSocket');
  }
  const versions = valuesOf(fields, 'sec-websocket-version');
  if (versions.length !== 1 || versions[0] !== '13') return bad(426, 'no_upgrade', 'not WebSocket version 13');
  const keys = valuesOf(fields, 'sec-websocket-key');
  if (keys.length !== 1 || !KEY.test(keys[0] ?? '')) return malformed('not exactly one Sec-WebSocket-Key of 16 bytes');
  return null;
}

/** Only browsers name an origin (RFC 6455, 10.2), and only of them is it asked: devices have none. */
function wrongOrigin(fields: readonly Field[], served: readonly string[] | null): BadUpgrade | null {
  if (served === null) return null;
  const [origin, ...more] = valuesOf(fields, 'origin');
  if (origin === undefined) return null;
  // Scheme and host know no case, and an origin has nothing else (RFC 6454, 6.2).
  const known = served.some(one => one.toLowerCase() === origin.toLowerCase());
  return known && more.length === 0 ? null : bad(403, 'wrong_origin', 'an origin that is not served');
}

/**
 * [MQTT-6.0.0-3]: a client must offer `mqtt`. One that offers nothing of ours is refused, as EMQX, RabbitMQ and mosquitto
 * do by default: without an agreed sub-protocol nobody knows that MQTT is spoken.
 */
function choose(offered: readonly string[]): SubProtocol | BadUpgrade {
  if (!offered.every(isToken) || new Set(offered).size !== offered.length) {
    return malformed('a Sec-WebSocket-Protocol that is no list of different tokens');
  }
  const chosen = SUB_PROTOCOLS.find(protocol => offered.includes(protocol));
  return chosen ?? bad(400, 'no_subprotocol', 'neither mqtt nor mqttv3.1 among the sub-protocols');
}

function malformed(detail: string): BadUpgrade {
  return bad(400, 'bad_request', detail);
}

function bad(status: BadUpgrade['status'], reason: UpgradeFault, detail: string): BadUpgrade {
  return { kind: 'bad', status, reason, detail };
}
