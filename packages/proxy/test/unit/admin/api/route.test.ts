import { expect, test } from 'vitest';
import { match } from '../../../../src/admin/api/route.ts';
import { ROUTES } from '../../../../src/admin/api/routes.ts';

test.each([
  ['GET', '/info', '/info', {}],
  ['GET', '/servers/emqx/emqx1', '/servers/{backend}/{server}', { backend: 'emqx', server: 'emqx1' }],
  ['PUT', '/servers/emqx/emqx1/state', '/servers/{backend}/{server}/state', { backend: 'emqx', server: 'emqx1' }],
  // A client id is whatever a client says: encoded slashes, dots, control characters.
  ['GET', '/clients/a%2Fb%00', '/clients/{client_id}', { client_id: 'a/b\0' }],
  ['GET', '/clients/..', '/clients/{client_id}', { client_id: '..' }],
  ['GET', '/clients/%3Cimg%20onerror%3E', '/clients/{client_id}', { client_id: '<img onerror>' }],
  // A literal segment goes before a name.
  ['GET', '/table/emqx/export', '/table/{backend}/export', { backend: 'emqx' }],
  ['DELETE', '/table/emqx/export', '/table/{backend}/{key}', { backend: 'emqx', key: 'export' }],
])('%s %s is %s', (method, path, found, params) => {
  expect(match(ROUTES, method, path)).toMatchObject({ kind: 'found', route: { path: found, method }, params });
});

test.each([
  ['GET', '/nothing', { kind: 'unknown' }],
  ['GET', '', { kind: 'unknown' }],
  ['GET', '/info/', { kind: 'unknown' }],
  ['GET', '/clients/', { kind: 'unknown' }],
  ['GET', '/clients/%ff', { kind: 'undecodable' }],
  ['DELETE', '/info', { kind: 'wrong_method', allow: ['GET'] }],
  ['POST', '/table/emqx/k', { kind: 'wrong_method', allow: ['GET', 'PUT', 'DELETE'] }],
])('%s %s is none', (method, path, answer) => {
  expect(match(ROUTES, method, path)).toEqual(answer);
});

test('no two routes are alike', () => {
  const names = ROUTES.map(({ method, path }) => `${method} ${path}`);
  expect(new Set(names).size).toBe(names.length);
});
