import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ROUTES } from '../../../../src/admin/api/routes.ts';

const page = readFileSync(new URL('../../../../../../docs/api.md', import.meta.url), 'utf8');

test('docs/api.md has a row for every request, as it is described, and no other', () => {
  const ours = ROUTES.map(({ method, path, level, summary }) => `| \`${method} ${path}\` | ${level} | ${summary} |`);
  expect(page.split('\n').filter(line => /^\| `(?:GET|PUT|POST|DELETE) /.test(line))).toEqual(ours);
});
