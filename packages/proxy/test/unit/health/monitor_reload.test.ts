import { expect, test } from 'vitest';
import type { BackendConfig } from '../../../src/config/resolved.ts';
import { createHealthMonitor, type HealthMonitor } from '../../../src/health/monitor.ts';
import { backendConfig, localHeader, serverConfig } from '../../flow/health/servers.ts';

/** A monitor whose listener asks for every server of the configuration, as the primary does. */
function scene(first: BackendConfig) {
  let backend = first;
  const heard: string[] = [];
  const monitor: HealthMonitor = createHealthMonitor({
    backends: [first],
    proxyName: 'lb1',
    address: (_, server) => (server.startsWith('gone') ? null : '127.0.0.1'),
    encodeLocalHeader: localHeader,
    tls: () => null,
    onChange: () => {
      heard.push(backend.servers.map(({ name }) => `${name} ${monitor.state('emqx', name).verdict}`).join(', '));
    },
    log: () => {},
  });
  const reload = (next: BackendConfig): void => {
    backend = next;
    monitor.reconfigure([next]);
  };
  return { monitor, heard, reload };
}

const unchecked = (name: string) => serverConfig(name, 1, { check: null });

test('P9: a new server whose name does not resolve is DOWN at once, and whoever is told may ask for all servers', async () => {
  const { monitor, heard, reload } = scene(backendConfig('emqx', [unchecked('a')]));
  monitor.start();
  reload(backendConfig('emqx', [unchecked('gone1'), unchecked('a'), unchecked('b')]));
  expect(heard).toEqual(['gone1 down, a up, b up']);
  await monitor.stop();
});

test('P9: a server that changes at once is told of when the new ones behind it are known', async () => {
  const { monitor, heard, reload } = scene(backendConfig('emqx', [serverConfig('a', 1)]));
  monitor.start();
  monitor.force('emqx', 'a', 'down');
  reload(backendConfig('emqx', [unchecked('a'), unchecked('b')]));
  expect(heard).toEqual(['a down', 'a up, b up']);
  await monitor.stop();
});
