import type { z } from 'zod';
import type { AdminLevel, Control } from '../control.ts';
import type { ApiAnswer, ApiRequest } from './contract.ts';

export type Method = ApiRequest['method'];

/** The names in the braces of a path. */
export type PathNames<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? Name | PathNames<Rest>
  : never;

/** What a route gets: everything is checked. */
export interface Call<Path extends string, Query, Body> {
  readonly params: Readonly<Record<PathNames<Path>, string>>;
  readonly query: Query;
  readonly body: Body;
  readonly request: ApiRequest;
  readonly control: Control;
  /** All there are, for the description. */
  readonly routes: readonly Route[];
}

/** What a route answers with, for the description. */
export type Answers =
  | { readonly status: 200 | 201 | 202; readonly schema: z.ZodType; readonly meaning: string }
  /** A stream of one of these content types. */
  | { readonly types: readonly string[]; readonly meaning: string };

interface RouteSpec<Path extends string, Query, Body> {
  readonly method: Method;
  /** Behind `/api/v1`, with names in braces. A literal segment goes before a name at the same place. */
  readonly path: Path;
  /** Who may. */
  readonly level: AdminLevel;
  /** One line for the description. */
  readonly summary: string;
  /** A strict object of strings that come. None: no query is understood. */
  readonly query?: z.ZodType<Query>;
  /** A strict object. None: the route reads the body by itself, or there is none. */
  readonly body?: z.ZodType<Body>;
  /** Content types of a body that the route reads by itself. */
  readonly bodyTypes?: readonly string[];
  readonly answers: Answers;
  /** Plain data of our contracts, or an answer. @throws LimpetError */
  readonly run: (call: Call<Path, Query, Body>) => Promise<unknown> | unknown;
}

/** A route whose own types are forgotten: handler and description treat all alike. */
export type Route = RouteSpec<string, unknown, unknown>;

/** Declares a route. What `query` and `body` say is what `run` gets. */
export function route<Path extends string, Query = undefined, Body = undefined>(
  spec: RouteSpec<Path, Query, Body>,
): Route {
  return spec as unknown as Route;
}

/** A stream as an answer of `run`. */
export class Streamed {
  readonly answer: Extract<ApiAnswer, { stream: unknown }>;

  constructor(contentType: string, stream: AsyncIterable<Buffer>) {
    this.answer = { status: 200, contentType, stream };
  }
}

/** JSON as an answer of `run` whose names are not ours and stay as they are. */
export class Verbatim {
  readonly json: unknown;

  constructor(json: unknown) {
    this.json = json;
  }
}

export type Match =
  | { readonly kind: 'found'; readonly route: Route; readonly params: Readonly<Record<string, string>> }
  | { readonly kind: 'wrong_method'; readonly allow: readonly string[] }
  | { readonly kind: 'unknown' }
  /** A segment is no percent-encoded UTF-8. */
  | { readonly kind: 'undecodable' };

/** Which route is meant. Segments are split before they are decoded, so a client id may hold `%2F`. */
export function match(routes: readonly Route[], method: string, path: string): Match {
  const segments = path.split('/').slice(1).map(decoded);
  if (segments.some(segment => segment === null)) return { kind: 'undecodable' };
  const here = routes.flatMap(one => {
    const params = paramsOf(one.path, segments as readonly string[]);
    return params === null ? [] : [{ route: one, params }];
  });
  const best = here.filter(one => one.route.method === method).sort(fewerNames)[0];
  if (best !== undefined) return { kind: 'found', ...best };
  if (here.length === 0) return { kind: 'unknown' };
  return { kind: 'wrong_method', allow: [...new Set(here.map(one => one.route.method))] };
}

function fewerNames(a: { params: object }, b: { params: object }): number {
  return Object.keys(a.params).length - Object.keys(b.params).length;
}

function paramsOf(path: string, segments: readonly string[]): Record<string, string> | null {
  const wanted = path.split('/').slice(1);
  if (wanted.length !== segments.length) return null;
  const params: Record<string, string> = {};
  for (const [place, want] of wanted.entries()) {
    const segment = segments[place] ?? '';
    if (want.startsWith('{')) params[want.slice(1, -1)] = segment;
    else if (want !== segment) return null;
  }
  return Object.values(params).includes('') ? null : params;
}

function decoded(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}
