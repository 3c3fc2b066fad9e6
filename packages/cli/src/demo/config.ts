import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, formatProblem, hashPassword, LimpetError, loadConfig } from '@limpet/proxy';
import type { DemoBroker } from './brokers.ts';

/** Of the stats page's user `admin`: everything of the demo is on loopback, and ends with it. */
export const DEMO_PASSWORD = 'limpet';

export interface DemoSetting {
  readonly brokers: readonly DemoBroker[];
  /** Of the proxy, and of the stats page; 0: any. */
  readonly port: number;
  readonly statsPort: number;
  /** A folder that lasts as long as the demo: for the socket of the runtime API. */
  readonly folder: string;
  readonly verbose: boolean;
  /** How many clients of its own the demo connects. */
  readonly clients: number;
}

/** For clients beside the demo's own; with the usual limit of 1024 open files nothing has to be raised for so many. */
const GUESTS = 500;

/**
 * The demo's configuration, made the way a user's is: from YAML. It keeps its defaults visible to whoever reads it here.
 * Two workers, because one would not show that round robin and the stick table are exact across workers.
 */
function demoYaml({ brokers, port, statsPort, folder, verbose, clients }: DemoSetting, hash: string): string {
  return `
global:
  name: demo
  workers: 2
  maxconn: ${GUESTS + clients}
  hard_stop_after: 1s
  log: { level: ${verbose ? 'info' : 'warn'}, format: pretty }
  runtime_api: ${JSON.stringify(demoSocket(folder))}
  stats: { bind: "127.0.0.1:${statsPort}", refresh: 1s, users: { admin: { password: "${hash}", level: admin } } }
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

/** Where the demo's runtime API listens. */
export function demoSocket(folder: string): string {
  return join(folder, 'limpet.sock');
}

/** The same, read: by way of a file that is gone again when this resolves. */
export async function demoConfig(setting: DemoSetting): Promise<Config> {
  const file = join(setting.folder, 'demo.yaml');
  const hash = await hashPassword(DEMO_PASSWORD);
  try {
    writeFileSync(file, demoYaml(setting, hash));
    // Without the environment: what a user has set there is not meant for the demo.
    const result = loadConfig(file, {});
    if (result.ok) return result.config;
    const problems = result.problems.map(formatProblem).join('\n');
    throw new LimpetError('DEMO_CONFIG', `the demo's own configuration is wrong: ${problems}`, 'report this fault');
  } finally {
    rmSync(file);
  }
}
