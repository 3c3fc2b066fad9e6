import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A file of the page, ready to be sent. */
export interface PageAsset {
  readonly type: string;
  readonly body: Buffer;
  /** Strong, with its quotes. */
  readonly etag: string;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Beside `src` and `dist`: the browser runs the files as they are written. */
const FOLDER = fileURLToPath(new URL('../../../page/', import.meta.url));

/**
 * The files of the page that is served at `uri` (`/stats`): path → file, and no other path exists. All addresses in them
 * are relative, so a proxy in front may put a prefix before them. Read once, at the call. @throws where the installation is broken
 */
export function pageAssets(uri: string): ReadonlyMap<string, PageAsset> {
  const base = uri.replace(/\/+$/, '');
  const assets = new Map<string, PageAsset>();
  for (const name of readdirSync(FOLDER)) {
    const type = TYPES[extname(name)];
    if (type === undefined) continue;
    const content = readFileSync(FOLDER + name);
    if (name === 'index.html') assets.set(uri, asset(type, Buffer.from(atUri(content.toString(), uri))));
    else assets.set(`${base}/assets/${name}`, asset(type, content));
  }
  return assets;
}

function asset(type: string, body: Buffer): PageAsset {
  return { type, body, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` };
}

/** `/stats` is a file in `/`, so its own files are at `stats/assets/…`, and the API at `api/v1`: both relative. */
function atUri(html: string, uri: string): string {
  const segments = uri.split('/').slice(1);
  const own = segments.at(-1) ?? '';
  const up = `./${'../'.repeat(segments.length - 1)}`;
  return html
    .replaceAll('{{own}}', escapeAttribute(own === '' ? './' : `./${own}/`))
    .replaceAll('{{root}}', escapeAttribute(up));
}

function escapeAttribute(text: string): string {
  return encodeURI(decodeURI(text)).replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll("'", '&#39;');
}
