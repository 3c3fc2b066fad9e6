import { readFileSync } from 'node:fs';

/** The version in this package's package.json, which lies one folder above both `src` and `dist`. */
export function proxyVersion(): string {
  const file = new URL('../package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string };
  return version;
}
