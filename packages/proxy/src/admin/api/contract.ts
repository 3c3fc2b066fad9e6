import type { AdminLevel, By, Control } from '../control.ts';

/** A request of `/api/v1`, whichever way it came: HTTP, or `api METHOD PATH` on the runtime API. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Behind `/api/v1`: `/servers/emqx/emqx1/state`. Percent-encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** As it comes; empty where there is none. */
  readonly body: AsyncIterable<Buffer>;
  readonly level: AdminLevel;
  readonly by: By;
}

export type ApiAnswer =
  | { readonly status: number; readonly json: unknown; readonly headers?: Readonly<Record<string, string>> }
  /** The consumer pulls; returning early ends it. */
  | { readonly status: 200; readonly contentType: string; readonly stream: AsyncIterable<Buffer> };

/**
 * Errors are answered `{ error: { code, message, remedy } }` with 400, 403, 404, 405 (and `Allow`), 408, 409, 413, 503 (the
 * store is away) or 500. Never rejects; a stream may, and is cut off then.
 */
export type ApiHandler = (request: ApiRequest, control: Control) => Promise<ApiAnswer>;
