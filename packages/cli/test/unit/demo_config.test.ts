import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '@limpet/proxy';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DemoSetting, demoConfig } from '../../src/demo/config.ts';

const brokers = [
  { name: 'broker1', port: 40_001 },
  { name: 'broker2', port: 40_002 },
];

describe('the configuration of the demo', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'limpet-demo-test-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const configOf = (over: Partial<DemoSetting> = {}): Promise<Config> =>
    demoConfig({ brokers, port: 1884, statsPort: 8889, folder, verbose: false, clients: 0, ...over });

  it('listens on loopback only, and serves the brokers it was given', async () => {
    const config = await configOf();
    const plain = { acceptProxy: [], tls: null, websocket: null };
    expect(config.frontends.flatMap(({ binds }) => binds)).toEqual([
      { label: '127.0.0.1:1884', host: '127.0.0.1', port: 1884, ...plain },
    ]);
    const servers = config.backends.flatMap(backend => backend.servers);
    expect(servers.map(({ name, host, port }) => ({ name, host, port }))).toEqual([
      { name: 'broker1', host: '127.0.0.1', port: 40_001 },
      { name: 'broker2', host: '127.0.0.1', port: 40_002 },
    ]);
    expect(config.state).toEqual({ store: 'memory' });
  });

  it('shows itself on loopback, to its own user', async () => {
    const { runtimeApi, stats } = (await configOf()).global;
    expect(runtimeApi.map(({ listen, level }) => ({ listen, level }))).toEqual([
      {
        listen: { kind: 'unix', path: join(folder, 'limpet.sock'), mode: 0o600, user: null, group: null },
        level: 'admin',
      },
    ]);
    expect(stats).toMatchObject({ host: '127.0.0.1', port: 8889, uri: '/stats', tls: null });
    expect(stats?.users.map(({ name, level }) => `${name} ${level}`)).toEqual(['admin admin']);
  });

  it('logs warnings only, unless all is wanted', async () => {
    expect((await configOf()).global.log.level).toBe('warn');
    expect((await configOf({ verbose: true })).global.log.level).toBe('info');
  });

  it('takes as many clients as the usual limit of file descriptors allows, beside its own', async () => {
    expect((await configOf()).global.maxconn).toBe(500);
    expect((await configOf({ clients: 1000 })).global.maxconn).toBe(1500);
  });

  it('leaves no file behind', async () => {
    await configOf();
    expect(readdirSync(folder)).toEqual([]);
  });
});
