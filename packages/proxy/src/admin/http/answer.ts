import type { IncomingMessage, ServerResponse } from 'node:http';
import { safeJson } from '../../unsafe_text.ts';

/** The page loads its own files only, and nobody may show it in a frame. */
const CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const ALWAYS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': CSP,
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cache-Control': 'no-store',
};

/** One request and the answer to it. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

type Headers = Readonly<Record<string, string>>;

/** Begins an answer whose body comes in pieces. */
export function begin({ response }: Exchange, status: number, type: string, headers: Headers = {}): void {
  response.writeHead(status, { ...ALWAYS, 'Content-Type': type, ...headers });
}

/** A whole answer. HEAD gets the same headers and no body; who sends a body that nobody wants is cut off. */
export function send(
  exchange: Exchange,
  status: number,
  type: string,
  body: string | Buffer,
  more: Headers = {},
): void {
  const { request, response } = exchange;
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  const isUnread = !request.complete && hasBody(request);
  begin(exchange, status, type, {
    'Content-Length': String(bytes.length),
    ...(isUnread ? { Connection: 'close' } : {}),
    ...more,
  });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

export function sendJson(exchange: Exchange, status: number, json: unknown, more: Headers = {}): void {
  send(exchange, status, 'application/json; charset=utf-8', `${safeJson(json)}\n`, more);
}

/** An answer of the API's shape, whatever was asked for. */
export function refuse(
  exchange: Exchange,
  status: number,
  code: string,
  message: string,
  remedy: string,
  more: Headers = {},
): void {
  sendJson(exchange, status, { error: { code, message, remedy } }, more);
}
