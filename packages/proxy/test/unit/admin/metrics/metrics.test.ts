import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FAMILIES, metricsText, wantsOpenMetrics } from '../../../../src/admin/metrics/exposition.ts';
import { primaryMetrics } from '../../../../src/admin/metrics/primary_families.ts';
import { backendFacts, latencies, serverFacts, snapshotFacts } from '../../../kit/admin_facts.ts';

const page = readFileSync(new URL('../../../../../../docs/metrics.md', import.meta.url), 'utf8');

async function lines(format: 'prometheus' | 'openmetrics' = 'prometheus', facts = snapshotFacts()): Promise<string[]> {
  return (await metricsText(facts, format)).text.split('\n');
}

test.each([
  'limpet_build_info{name="lb1",version="0.1.0",node="v20.19.0",relay="native"} 1',
  'limpet_start_time_seconds 1800000000',
  'limpet_frontend_connections_total{frontend="mqtt"} 11',
  'limpet_frontend_connects_total{frontend="mqtt",version="3.1.1"} 0',
  'limpet_frontend_connects_total{frontend="mqtt",version="5.0"} 8',
  'limpet_frontend_refused_total{frontend="mqtt",reason="bad_connect"} 1',
  'limpet_bind_received_bytes_total{frontend="mqtt",bind="*:1883",listen="0.0.0.0:1883"} 100',
  'limpet_backend_ended_total{backend="emqx",reason="client_closed"} 5',
  'limpet_backend_usable_servers{backend="emqx"} 1',
  'limpet_backend_stick_entries{backend="emqx"} 12',
  'limpet_server_up{backend="emqx",server="emqx1"} 1',
  'limpet_server_admin_state{backend="emqx",server="emqx2",state="drain"} 1',
  'limpet_server_admin_state{backend="emqx",server="emqx2",state="ready"} 0',
  'limpet_server_maxconn{backend="emqx",server="emqx2"} 100',
  'limpet_server_connacks_total{backend="emqx",server="emqx1",protocol="5",code="135"} 1',
  'limpet_server_stick_total{backend="emqx",server="emqx1",how="sticky"} 4',
  'limpet_server_stick_degraded_total{backend="emqx",server="emqx1"} 1',
  'limpet_server_downtime_seconds_total{backend="emqx",server="emqx1"} 1.5',
  'limpet_server_dial_seconds_bucket{backend="emqx",server="emqx1",le="0.0005"} 0',
  'limpet_server_dial_seconds_bucket{backend="emqx",server="emqx1",le="0.001"} 2',
  'limpet_server_dial_seconds_bucket{backend="emqx",server="emqx1",le="10"} 2',
  'limpet_server_dial_seconds_bucket{backend="emqx",server="emqx1",le="+Inf"} 3',
  'limpet_server_dial_seconds_sum{backend="emqx",server="emqx1"} 20.002',
  'limpet_server_dial_seconds_count{backend="emqx",server="emqx1"} 3',
  'limpet_task_sessions_left{task="7",kind="drain",backend="emqx",server="emqx2"} 20',
  'limpet_proxy_up{proxy="lb1"} 1',
  'limpet_proxy_up{proxy="lb2"} 0',
  'limpet_proxy_active{proxy="lb2"} 0',
  'limpet_proxy_current_connections{proxy="lb1"} 3',
  'limpet_proxy_beat_age_seconds{proxy="lb2"} 12',
  'limpet_vip_active{vip="10.0.0.100"} 1',
  '# TYPE limpet_server_connack_seconds histogram',
])('%s', async line => {
  expect(await lines()).toContain(line);
});

test('what is not there is absent', async () => {
  const text = (await lines()).join('\n');
  expect(text).not.toContain('limpet_server_maxconn{backend="emqx",server="emqx1"}');
  expect(text).not.toContain('limpet_backend_stick_entries{backend="other"}');
  expect(text).not.toContain('limpet_proxy_current_connections{proxy="lb2"}');
  expect(text).not.toContain('\nlimpet_role_since_timestamp_seconds ');
  expect(text).not.toContain('stick_total{backend="emqx",server="emqx1",how="degraded"}');
});

test('a standby says so for each virtual address, and since when', async () => {
  const facts = snapshotFacts();
  const info = { ...facts.info, role: 'standby' as const, roleSinceMs: 1_800_000_030_000 };
  const proxies = facts.proxies.map(one => (one.self ? { ...one, vip: ['10.0.0.100', 'fd00::1'] } : one));
  const told = await lines('prometheus', { ...facts, info, proxies });
  expect(told).toContain('limpet_role_since_timestamp_seconds 1800000030');
  expect(told.filter(line => line.startsWith('limpet_vip_active{'))).toEqual([
    'limpet_vip_active{vip="10.0.0.100"} 0',
    'limpet_vip_active{vip="fd00::1"} 0',
  ]);
});

test('whether a proxy is ready is told where it is known', async () => {
  const facts = snapshotFacts();
  const told = async (ready: boolean | null): Promise<string[]> => {
    const proxies = facts.proxies.map(one => (one.self ? one : { ...one, ready }));
    return (await lines('prometheus', { ...facts, proxies })).filter(line => line.startsWith('limpet_proxy_ready{'));
  };
  const self = 'limpet_proxy_ready{proxy="lb1"} 1';
  expect(await told(null)).toEqual([self]);
  expect(await told(false)).toEqual([self, 'limpet_proxy_ready{proxy="lb2"} 0']);
});

test('OpenMetrics: counters are named without _total where they are described, and it has an end', async () => {
  const told = await lines('openmetrics');
  expect(told).toContain('# TYPE limpet_frontend_connections counter');
  expect(told).toContain('limpet_frontend_connections_total{frontend="mqtt"} 11');
  expect(told.slice(-2)).toEqual(['# EOF', '']);
});

test.each([
  ['application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3', true],
  ['application/openmetrics-text', true],
  ['application/openmetrics-text;q=0', false],
  ['text/plain', false],
  ['*/*', false],
  [undefined, false],
])('Accept: %s', (accept, wants) => {
  expect(wantsOpenMetrics(accept)).toBe(wants);
});

test('names with quotes and line ends are told so that they can be read back', async () => {
  const facts = snapshotFacts({ backends: [backendFacts('a"b\\c\nd', [serverFacts('s')])] });
  expect(await lines('prometheus', facts)).toContain('limpet_backend_servers{backend="a\\"b\\\\c\\nd"} 1');
});

test('as many values as things are configured, however much happened', async () => {
  const counts = Object.fromEntries(Array.from({ length: 256 }, (_, code) => [`connack:5:${code}`, 1]));
  const servers = Array.from({ length: 200 }, (_, n) => ({ ...serverFacts(`s${n}`), connect: latencies(n), counts }));
  const told = await lines('prometheus', snapshotFacts({ backends: [backendFacts('b', servers)] }));
  expect(told.filter(line => line.startsWith('limpet_server_connacks_total'))).toHaveLength(200 * 256);
  expect(told.filter(line => line.startsWith('limpet_server_current_sessions{'))).toHaveLength(200);
});

test('docs/metrics.md has a row for every name, as it is told, and no other', async () => {
  const ours = FAMILIES.map(({ name, type, labels, help }) => {
    return `| \`${name}\` | ${type} | ${labels.map(label => `\`${label}\``).join(' ')} | ${help} |`;
  });
  const primary = (await primaryMetrics()).map(({ name }) => name);
  const rows = unpadded(page).filter(line => line.startsWith('| `'));
  const isPrimary = (row: string): boolean => row.startsWith('| `limpet_primary_');
  expect(rows.filter(row => !isPrimary(row))).toEqual(unpadded(ours.join('\n')));
  expect(rows.filter(isPrimary).map(row => row.split('`')[1])).toEqual(primary);
});

/** The lines of a page, its tables without the spaces that align them. */
function unpadded(text: string): string[] {
  return text.split('\n').map(line => (line.startsWith('|') ? line.replaceAll(/ +\|/g, ' |') : line));
}
