import { describe, expect, test } from 'vitest';
import { pageAssets } from '../../../../src/admin/page/assets.ts';

function html(uri: string): string {
  return pageAssets(uri).get(uri)?.body.toString() ?? '';
}

/** Where a browser goes that has the page from there. */
function resolved(uri: string, attribute: RegExp, rest: string, prefix = ''): string {
  const relative = attribute.exec(html(uri))?.[1] ?? '';
  return new URL(relative + rest, `http://proxy${prefix}${uri}`).pathname;
}

describe.each(['/stats', '/ops/limpet/stats', '/', '/a:b'])('served at %s', uri => {
  const base = uri === '/' ? '' : uri;

  test('it finds its files, its stream and the API, behind a prefix too', () => {
    expect(resolved(uri, /data-own="([^"]*)"/, 'events')).toBe(`${base}/events`);
    expect(resolved(uri, /src="([^"]*)main\.js"/, 'main.js')).toBe(`${base}/assets/main.js`);
    expect(resolved(uri, /data-root="([^"]*)"/, 'api/v1/info')).toBe('/api/v1/info');
    expect(resolved(uri, /data-root="([^"]*)"/, 'api/v1/info', '/behind')).toBe('/behind/api/v1/info');
  });

  test('every file that the page names is there', () => {
    const assets = pageAssets(uri);
    const named = [...html(uri).matchAll(/(?:src|href)="([^"#]+)"/g)].map(
      found => new URL(found[1] ?? '', `http://proxy${uri}`).pathname,
    );
    expect(named.length).toBeGreaterThan(5);
    for (const path of named) expect(assets.has(path), path).toBe(true);
  });
});

test('files have types and strong tags, and nothing but the page is served', () => {
  const assets = pageAssets('/stats');
  expect(assets.get('/stats')?.type).toBe('text/html; charset=utf-8');
  expect(assets.get('/stats/assets/main.js')?.type).toBe('text/javascript; charset=utf-8');
  for (const [path, { etag }] of assets) expect(etag, path).toMatch(/^"[\w-]{22}"$/);
  expect([...assets.keys()].filter(path => /tsconfig|\.json|\.\./.test(path))).toEqual([]);
});

test('the policy can hold: no inline script or style, no markup from text, no address of anybody else', () => {
  for (const [path, { body }] of pageAssets('/stats')) {
    const text = body.toString();
    if (path === '/stats') expect(text).not.toMatch(/<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)/);
    expect(text, path).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/);
    expect(text.replaceAll('http://www.w3.org/2000/svg', ''), path).not.toMatch(/https?:\/\/|@import\s+["u]/);
  }
});
