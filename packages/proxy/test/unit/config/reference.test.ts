import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { renderReference } from '../../../src/config/reference.ts';

const page = readFileSync(new URL('../../../../../docs/configuration.md', import.meta.url), 'utf8');

test('docs/configuration.md is what the schema says (else: node scripts/config-reference.mjs)', () => {
  expect(page).toBe(renderReference());
});

test.each([
  'stick.on.match',
  'check.fastinter',
  'servers.NAME.backup',
  'bind.address',
  'redis.timeout',
  'send_proxy.tlvs',
  'tls.ticket_secret',
  'bind.tls.cert',
  'runtime_api.mode',
  'stats.users.NAME.password',
  'log.target.syslog.facility',
  'log.sample.above',
  'bind.websocket.origins',
  'bind.accept_proxy',
  'routes[].when.client_id.prefix',
  'connect_rate.queue_timeout',
  'servers.NAME.tls.sni',
  'servers.NAME.websocket.path',
])('%s has a row with a meaning', key => {
  const row = page.split('\n').find(line => line.startsWith(`| \`${key}\` `));
  expect(row?.split(' | ').at(-1)?.trim()).toMatch(/^[A-Z`].{15,}\.\s*\|$/);
});
