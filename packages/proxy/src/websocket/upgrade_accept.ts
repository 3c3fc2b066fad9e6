import { createHash } from 'node:crypto';
import type { BadUpgrade, UpgradeRequest } from './upgrade_request.ts';

/** RFC 6455, 1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** Sec-WebSocket-Accept for a client's Sec-WebSocket-Key (RFC 6455, 4.2.2, item 5.4). */
export function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}${GUID}`).digest('base64');
}

/** The 101 (RFC 6455, 4.2.2). No extension is ever agreed on. */
export function switchingProtocols({ key, protocol }: Pick<UpgradeRequest, 'key' | 'protocol'>): Buffer {
  return head([
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${acceptOf(key)}`,
    `Sec-WebSocket-Protocol: ${protocol}`,
  ]);
}

/** A status that ends the connection; 408 is a request that did not become whole in time. */
export type RefusedStatus = BadUpgrade['status'] | 408;

const PHRASES: Readonly<Record<RefusedStatus, string>> = {
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  426: 'Upgrade Required',
  431: 'Request Header Fields Too Large',
  505: 'HTTP Version Not Supported',
};

/** RFC 9110, 15.5.22: what a 426 asks for must be named, in Connection too. RFC 6455, 4.4: so must the version. */
const FIELDS: Partial<Record<RefusedStatus, readonly string[]>> = {
  405: ['Allow: GET'],
  426: ['Upgrade: websocket', 'Sec-WebSocket-Version: 13'],
};

/** The answer to an upgrade that is refused. It says nothing that the client wrote. */
export function upgradeRefused(status: RefusedStatus): Buffer {
  const body = `${PHRASES[status]}\n`;
  const lines = [
    `HTTP/1.1 ${status} ${PHRASES[status]}`,
    ...(FIELDS[status] ?? []),
    `Connection: ${status === 426 ? 'Upgrade, close' : 'close'}`,
    'Content-Type: text/plain',
    `Content-Length: ${body.length}`,
  ];
  return Buffer.concat([head(lines), Buffer.from(body, 'latin1')]);
}

function head(lines: readonly string[]): Buffer {
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}
