import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Config, formatProblem, LimpetError, loadConfig } from '@limpet/proxy';
import type { DemoBroker } from './brokers.ts';

/** For clients beside the demo's own; with the usual limit of 1024 open files nothing has to be raised for so many. */
const GUESTS = 500;

/**
 * The demo's configuration, made the way a user's is: from YAML. It keeps its defaults visible to whoever reads it here.
 * Two workers, because one would not show that round robin and the stick table are exact across workers.
 */
function demoYaml(brokers: readonly DemoBroker[], port: number, verbose: boolean, clients: number): string {
  return `
global:
  name: demo
  workers: 2
  maxconn: ${GUESTS + clients}
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

/**
 * The same, read: by way of a file that is gone again when this returns.
 * @param clients how many clients of its own the demo connects
 */
export function demoConfig(brokers: readonly DemoBroker[], port: number, verbose: boolean, clients: number): Config {
  const folder = mkdtempSync(join(tmpdir(), 'limpet-demo-'));
  try {
    const file = join(folder, 'demo.yaml');
    writeFileSync(file, demoYaml(brokers, port, verbose, clients));
    // Without the environment: what a user has set there is not meant for the demo.
    const result = loadConfig(file, {});
    if (result.ok) return result.config;
    const problems = result.problems.map(formatProblem).join('\n');
    throw new LimpetError('DEMO_CONFIG', `the demo's own configuration is wrong: ${problems}`, 'report this fault');
  } finally {
    rmSync(folder, { recursive: true });
  }
}
