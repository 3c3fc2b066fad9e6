import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { AdminLevel } from '../../config/resolved.ts';
import type { Log } from '../../log.ts';
import type { ApiAnswer, ApiRequest } from '../api/contract.ts';
import { handleApi } from '../api/handler.ts';
import type { By, Control } from '../control.ts';
import { begin, type Exchange, refuse, send, sendJson } from './answer.ts';
import { requestBody } from './request_body.ts';
import { strangeness } from './same_site.ts';
import type { Target } from './target.ts';

/** Who asks. */
export interface Visitor {
  readonly level: AdminLevel;
  readonly by: By;
}

type ApiTarget = Extract<Target, { kind: 'api' }>;

const IMPORT = /^\/table\/[^/]+\/import$/;

/** Answers a request below `/api/v1`. One that changes something must not come from a page of another site. */
export async function serveApi(
  exchange: Exchange,
  target: ApiTarget,
  visitor: Visitor,
  control: Control,
  log: Log,
): Promise<void> {
  const { request } = exchange;
  const method = (request.method === 'HEAD' ? 'GET' : request.method) as ApiRequest['method'];
  const doubt = method === 'GET' ? null : strangeness(request.headers);
  if (doubt !== null) {
    const remedy = 'Send Content-Type: application/json and X-Limpet-Request: 1, from a program or from our own page.';
    refuse(exchange, 403, 'CROSS_SITE', `this might be forged: ${doubt}`, remedy);
    return;
  }
  const body = requestBody(request, IMPORT.test(target.path));
  const { path, query } = target;
  const answer = await handleApi({ method, path, query, body, ...visitor }, control);
  note({ method, path }, answer, visitor, log);
  if ('stream' in answer) await sendStream(exchange, answer);
  else sendJson(exchange, answer.status, answer.json, answer.headers);
}

/** Every order is in the log: those about tables are told here, all others where they are obeyed. */
function note(
  { method, path }: Pick<ApiRequest, 'method' | 'path'>,
  { status }: ApiAnswer,
  { by }: Visitor,
  log: Log,
): void {
  if (status >= 500) log.error('stats_failed', { by, what: `${method} ${path}`, status });
  if (method === 'GET' || status >= 300 || !path.startsWith('/table/')) return;
  const what = `${method} ${path}`;
  log.info('admin', { by, what }, `${what} (${by})`);
}

async function sendStream(exchange: Exchange, answer: Extract<ApiAnswer, { stream: unknown }>): Promise<void> {
  const { request, response } = exchange;
  if (request.method === 'HEAD') {
    send(exchange, 200, answer.contentType, '');
    return;
  }
  begin(exchange, 200, answer.contentType, { 'Content-Disposition': 'attachment' });
  try {
    await pipeline(Readable.from(answer.stream, { highWaterMark: 1 }), response);
  } catch {
    // The reader has gone, or the store has: what is missing shows by the end that is.
    response.destroy();
  }
}
