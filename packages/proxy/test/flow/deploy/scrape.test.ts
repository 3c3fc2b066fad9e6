import { mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { hashPassword } from '../../../src/admin/http/password.ts';
import { startStats } from '../../../src/admin/http/stats_server.ts';
import { loadConfig } from '../../../src/config/load.ts';
import type { StatsConfig } from '../../../src/config/resolved.ts';
import { SILENT } from '../../../src/log.ts';
import { FakeControl } from '../../kit/admin_control.ts';
import { makeAuthority } from '../../kit/certificates.ts';
import { until } from '../../kit/condition.ts';
import { type Directory, makeDirectory } from '../../kit/directory.ts';
import { DEPLOY, RULES } from '../../kit/monitoring.ts';
import { startOnFreePort } from '../../kit/port.ts';
import { startProcess } from '../../kit/process.ts';

const PAGE = readFileSync(`${DEPLOY}../docs/operations.md`, 'utf8');

/** A YAML block of the page, by its first line. */
function block(begin: string): string {
  const [, yaml = ''] = new RegExp(`^\`\`\`yaml\n(# ${begin}.*?)^\`\`\`$`, 'ms').exec(PAGE) ?? [];
  return yaml;
}

/** The stats of the page's configuration; only its hash is another one, for a password that this test knows. */
async function documentedStats(folder: Directory, password: string): Promise<StatsConfig> {
  const hash = await hashPassword(password);
  const text = block('limpet.yaml').replace(/"\$scrypt\$[^"]*"/, `"${hash}"`);
  const loaded = loadConfig(folder.write('limpet.yaml', text), {});
  if (!loaded.ok || loaded.config.global.stats === null) throw new Error(JSON.stringify(loaded));
  return loaded.config.global.stats;
}

interface Network extends AsyncDisposable {
  readonly url: string;
  readonly asked: Set<string>;
}

/** Where every name leads to `port` of this host: a proxy that Prometheus goes through. */
async function startNetwork(port: number): Promise<Network> {
  const asked = new Set<string>();
  const open = new Set<Socket>();
  const server = createServer().on('connect', (request, client: Socket) => {
    asked.add(request.url ?? '');
    const there = connect(port, '127.0.0.1', () => client.write('HTTP/1.1 200 OK\r\n\r\n'));
    for (const [one, other] of [
      [client, there],
      [there, client],
    ] as const) {
      open.add(one);
      one.on('error', () => other.destroy());
      one.pipe(other);
    }
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const close = async (): Promise<void> => {
    for (const one of open) one.destroy();
    await new Promise(resolve => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, [Symbol.asyncDispose]: close };
}

interface Scrape {
  readonly tls_config: object;
  readonly basic_auth: object;
}

/** The page's prometheus.yml, with the files of this test. */
function documentedScrape(folder: Directory, ca: string, password: string, network: Network): string {
  const { scrape_configs: jobs } = parse(block('prometheus.yml')) as { scrape_configs: readonly Scrape[] };
  const here = jobs.map(job => ({
    ...job,
    proxy_url: network.url,
    scrape_interval: '1s',
    scrape_timeout: '1s',
    tls_config: { ...job.tls_config, ca_file: ca },
    basic_auth: { ...job.basic_auth, password_file: folder.write('limpet.password', password) },
  }));
  return folder.write('prometheus.yml', stringify({ rule_files: [RULES], scrape_configs: here }));
}

interface Target {
  readonly scrapeUrl: string;
  readonly health: string;
  readonly lastError: string;
}

async function startPrometheus(folder: Directory, config: string) {
  const args = [`--config.file=${config}`, `--storage.tsdb.path=${folder.file('data')}`];
  return await startOnFreePort(
    free => startProcess('prometheus', [...args, `--web.listen-address=127.0.0.1:${free}`]),
    process => process.waitForLine(/Server is ready/),
  );
}

async function targetsOf(port: number): Promise<readonly Target[]> {
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1/targets?state=active`);
  const { data } = (await answer.json()) as { data: { activeTargets: readonly Target[] } };
  return data.activeTargets;
}

test.each([
  ['as the page says', (stats: StatsConfig) => stats, ['up ', 'up ']],
  [
    'without the names',
    (stats: StatsConfig) => ({ ...stats, hosts: [] }),
    Array(2).fill('down server returned HTTP status 421 Misdirected Request'),
  ],
])('a real Prometheus on another host, %s', async (_title, change, expected) => {
  await using folder = await makeDirectory('scrape');
  await using authority = await makeAuthority();
  const ours = await authority.issue({ cn: 'lb1', names: ['lb1', 'lb2'] });
  mkdirSync(folder.file('certs'));
  folder.write('certs/server.pem', readFileSync(ours.bundle, 'utf8'));
  const stats = await documentedStats(folder, 'of-the-test');
  expect(stats).toMatchObject({ host: '0.0.0.0', port: 8888 });
  const server = await startStats({ ...change(stats), host: '127.0.0.1', port: 0 }, new FakeControl(), SILENT);
  try {
    await using network = await startNetwork(Number(server.listening.split(':').at(-1)));
    const config = documentedScrape(folder, authority.ca, 'of-the-test', network);
    const { process: prometheus, port } = await startPrometheus(folder, config);
    await using _owned = prometheus;
    const known = async (): Promise<readonly Target[] | null> => {
      const targets = await targetsOf(port);
      return targets.length === 2 && targets.every(({ health }) => health !== 'unknown') ? targets : null;
    };
    const targets = await until(known, { what: 'a scrape of both' });
    expect(targets.map(({ health, lastError }) => `${health} ${lastError}`)).toEqual(expected);
    expect([...network.asked].toSorted()).toEqual(['lb1:8888', 'lb2:8888']);
  } finally {
    await server.close();
  }
});
