/** What a request asks for. */
export type Target =
  | { readonly kind: 'page' | 'csv' | 'json' | 'events' | 'metrics' | 'health' | 'readiness' }
  | { readonly kind: 'asset'; readonly path: string }
  /** Behind `/api/v1`, as it came. */
  | { readonly kind: 'api'; readonly path: string; readonly query: URLSearchParams }
  | { readonly kind: 'redirect' }
  | { readonly kind: 'unknown' };

const API = '/api/v1';
const FIXED: Readonly<Record<string, 'metrics' | 'health' | 'readiness'>> = {
  '/metrics': 'metrics',
  '/healthz': 'health',
  '/readyz': 'readiness',
};

/**
 * What the request's target means where the page is at `uri`. Dots are no path to anywhere: nothing is put together from
 * it. `uri` may have options behind it as in HAProxy: `;csv`, `;json`; others (`;norefresh`, `;up`) change nothing.
 */
export function targetOf(url: string, uri: string): Target {
  const [path = '', ...search] = url.split('?');
  const fixed = Object.hasOwn(FIXED, path) ? FIXED[path] : undefined;
  if (fixed !== undefined) return { kind: fixed };
  if (path.startsWith(`${API}/`)) {
    return { kind: 'api', path: path.slice(API.length), query: new URLSearchParams(search.join('?')) };
  }
  const base = uri.replace(/\/+$/, '');
  if (path === `${base}/events`) return { kind: 'events' };
  if (path.startsWith(`${base}/assets/`)) return { kind: 'asset', path };
  const [plain = '', ...options] = path.split(';');
  if (plain === uri) return { kind: optionOf(options) };
  return plain === '/' || plain === `${base}/` ? { kind: 'redirect' } : { kind: 'unknown' };
}

function optionOf(options: readonly string[]): 'page' | 'csv' | 'json' {
  if (options.includes('csv')) return 'csv';
  return options.includes('json') ? 'json' : 'page';
}
