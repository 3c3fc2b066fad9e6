import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Config, formatProblem, LimpetError, loadConfig } from '@limpet/proxy';
import type { DemoBroker } from './brokers.ts';

/**
 * The demo's configuration, made the way a user's is: from YAML. It keeps its defaults visible to whoever reads it here.
 * Two workers, because one would not show that round robin and the stick table are exact across workers.
 */
function demoYaml(brokers: readonly DemoBroker[], port: number, verbose: boolean): string {
  return `
global:
  name: demo
  workers: 2
  maxconn: 1000
  hard_stop_after: 1s
  log: { level: ${verbose ? 'info' : 'warn'}, format: pretty }
frontends:
  mqtt:
    bind: "127.0.0.1:${port}"
    default_backend: brokers
backends:
  brokers:
    balance: roundrobin
    stick: { on: client_id, expire: 30m }
    check: { type: mqtt, inter: 2s }
    servers:
${brokers.map(broker => `      ${broker.name}: 127.0.0.1:${broker.port}`).join('\n')}
`;
}

/** The same, read: by way of a file that is gone again when this returns. */
export function demoConfig(brokers: readonly DemoBroker[], port: number, verbose: boolean): Config {
  const folder = mkdtempSync(join(tmpdir(), 'limpet-demo-'));
  try {
    const file = join(folder, 'demo.yaml');
    writeFileSync(file, demoYaml(brokers, port, verbose));
    // Without the environment: what a user has set there is not meant for the demo.
    const result = loadConfig(file, {});
    if (result.ok) return result.config;
    const problems = result.problems.map(formatProblem).join('\n');
    throw new LimpetError('DEMO_CONFIG', `the demo's own configuration is wrong: ${problems}`, 'report this fault');
  } finally {
    rmSync(folder, { recursive: true });
  }
}
