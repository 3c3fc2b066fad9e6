import { expect, test } from 'vitest';
import type { SniRouteConfig } from '../../../src/config/resolved.ts';
import { sniBackend } from '../../../src/sni/sni_backend.ts';

const ROUTES: readonly SniRouteConfig[] = [
  { host: '*.example.com', backend: 'any' },
  { host: 'dash.example.com', backend: 'dash' },
  { host: 'broker', backend: 'broker' },
];

test.each([
  ['dash.example.com', 'dash'],
  ['iot.example.com', 'any'],
  ['a.iot.example.com', null],
  ['example.com', null],
  ['.example.com', null],
  ['xexample.com', null],
  ['*.example.com', 'any'],
  ['broker', 'broker'],
  ['other', null],
  ['', null],
  [null, null],
])('%s goes to %s', (sni, backend) => {
  expect(sniBackend(ROUTES, sni)).toBe(backend);
});
