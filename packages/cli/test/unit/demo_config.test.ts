import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { demoConfig } from '../../src/demo/config.ts';

const brokers = [
  { name: 'broker1', port: 40_001 },
  { name: 'broker2', port: 40_002 },
];

describe('the configuration of the demo', () => {
  it('listens on loopback only, and serves the brokers it was given', () => {
    const config = demoConfig(brokers, 1884, false, 0);
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

  it('logs warnings only, unless all is wanted', () => {
    expect(demoConfig(brokers, 1883, false, 0).global.log.level).toBe('warn');
    expect(demoConfig(brokers, 1883, true, 0).global.log.level).toBe('info');
  });

  it('takes as many clients as the usual limit of file descriptors allows, beside its own', () => {
    expect(demoConfig(brokers, 1883, false, 0).global.maxconn).toBe(500);
    expect(demoConfig(brokers, 1883, false, 1000).global.maxconn).toBe(1500);
  });

  it('leaves no file behind', () => {
    const { files } = demoConfig(brokers, 1883, false, 0);
    expect(files).toHaveLength(1);
    expect(files.filter(file => existsSync(file))).toEqual([]);
  });
});
