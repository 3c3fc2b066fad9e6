/**
 * Limpet, as built, with the configuration that says the same as HAProxy's: the memory table, checks, a log in JSON.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Setup, startTarget, type Target } from './target.ts';

const cli = fileURLToPath(new URL('../packages/cli/', import.meta.url));

export async function startLimpet(setup: Setup): Promise<Target> {
  const manifest = JSON.parse(readFileSync(`${cli}package.json`, 'utf8')) as { version: string };
  return startTarget({
    name: 'limpet',
    version: `Limpet ${manifest.version}`,
    command: directory => {
      const file = directory.write('limpet.yaml', JSON.stringify(configuration(setup), null, 2));
      return [process.execPath, `${cli}dist/bin.js`, 'run', '-c', file];
    },
    ready: servingPort,
  });
}

function configuration(setup: Setup): object {
  const servers = setup.brokers.map((broker, index) => [`emqx${index + 1}`, `127.0.0.1:${broker}`]);
  return {
    global: { name: 'bench', workers: setup.workers, maxconn: 8000, log: { level: 'info', format: 'json' } },
    state: { store: 'memory' },
    frontends: { mqtt: { bind: ['127.0.0.1:0'], default_backend: 'emqx' } },
    backends: {
      emqx: {
        balance: 'roundrobin',
        stick: { on: 'client_id', size: '100k', expire: '30m' },
        servers: Object.fromEntries(servers),
      },
    },
  };
}

interface LogLine {
  readonly event?: string;
  readonly port?: number;
}

/** The port of its one bind, once all workers are ready. */
function servingPort(log: string): number | null {
  const events = log.split('\n').flatMap(asEvent);
  if (!events.some(event => event.event === 'ready')) return null;
  return events.find(event => event.event === 'listening')?.port ?? null;
}

function asEvent(line: string): LogLine[] {
  try {
    return [JSON.parse(line) as LogLine];
  } catch {
    // The end of a line that is still being written.
    return [];
  }
}
