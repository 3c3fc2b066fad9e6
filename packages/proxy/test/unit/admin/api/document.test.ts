import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ROUTES } from '../../../../src/admin/api/routes.ts';

const page = readFileSync(new URL('../../../../../../docs/api.md', import.meta.url), 'utf8');

test('docs/api.md has a row for every request, as it is described, and no other', () => {
  const ours = ROUTES.map(({ method, path, level, summary }) => `| \`${method} ${path}\` | ${level} | ${summary} |`);
  expect(unpadded(page).filter(line => /^\| `(?:GET|PUT|POST|DELETE) /.test(line))).toEqual(ours);
});

/** The lines of a page, its tables without the spaces that align them. */
function unpadded(text: string): string[] {
  return text.split('\n').map(line => (line.startsWith('|') ? line.replaceAll(/ +\|/g, ' |') : line));
}
