import { expect, test } from 'vitest';
import { targetOf } from '../../../../src/admin/http/target.ts';

test.each([
  ['/stats', 'page'],
  ['/stats?x=1', 'page'],
  ['/stats;norefresh', 'page'],
  ['/stats;csv', 'csv'],
  ['/stats;csv;norefresh', 'csv'],
  ['/stats;up;csv', 'csv'],
  ['/stats;json', 'json'],
  ['/stats/events', 'events'],
  ['/stats/assets/app.js', 'asset'],
  ['/stats/assets/../../../etc/passwd', 'asset'],
  ['/metrics', 'metrics'],
  ['/metrics?a=b', 'metrics'],
  ['/healthz', 'health'],
  ['/readyz', 'readiness'],
  ['/api/v1/info', 'api'],
  ['/', 'redirect'],
  ['/stats/', 'redirect'],
  ['/statsx', 'unknown'],
  ['/api/v2/info', 'unknown'],
  ['/api/v1', 'unknown'],
  ['/constructor', 'unknown'],
  ['', 'unknown'],
  ['http://127.0.0.1/stats', 'unknown'],
  ['*', 'unknown'],
])('%s is %s', (url, kind) => {
  expect(targetOf(url, '/stats').kind).toBe(kind);
});

test('what is behind /api/v1 stays as it came', () => {
  expect(targetOf('/api/v1/clients/..%2F?a=b?c', '/stats')).toEqual({
    kind: 'api',
    path: '/clients/..%2F',
    query: new URLSearchParams({ a: 'b?c' }),
  });
});

test('the page may be anywhere', () => {
  expect(targetOf('/a/b;csv', '/a/b').kind).toBe('csv');
  expect(targetOf('/;csv', '/').kind).toBe('csv');
  expect(targetOf('/', '/').kind).toBe('page');
  expect(targetOf('/assets/x', '/').kind).toBe('asset');
});
