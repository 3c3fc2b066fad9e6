/**
 * Limpet, as built, with the configuration that says the same as HAProxy's: checks, client ids that stick, a log in JSON.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Directory } from '../packages/proxy/test/kit/directory.ts';
import { COLLECTING } from '../packages/proxy/test/kit/memory.ts';
import type { Service, Setup } from './service.ts';
import { startTarget, type Target, type TargetName } from './target.ts';

const cli = fileURLToPath(new URL('../packages/cli/', import.meta.url));
const blocking = new URL('block_workers.mjs', import.meta.url).href;
/** Workers block while this file is in the folder (`Service.canBlock`). */
export const blockFlag = 'block';

export async function startLimpet(setup: Setup): Promise<Target> {
  return start(setup, 'limpet', 'auto');
}

/** With the relay in TypeScript. */
export async function startLimpetNode(setup: Setup): Promise<Target> {
  return start(setup, 'limpet-node', 'node');
}

async function start(setup: Setup, name: TargetName, relay: 'auto' | 'node'): Promise<Target> {
  const manifest = JSON.parse(readFileSync(`${cli}package.json`, 'utf8')) as { version: string };
  return startTarget({
    name,
    version: `Limpet ${manifest.version}, relay: ${relay}`,
    command: directory => {
      const socket = directory.file('limpet.sock');
      const file = directory.write('limpet.yaml', JSON.stringify(configuration(setup, relay, socket), null, 2));
      return [process.execPath, `${cli}dist/bin.js`, 'run', '-c', file];
    },
    env: directory => preloads(setup.service, directory),
    ready: servingPort,
  });
}

function preloads({ canBlock, canCollect }: Service, directory: Directory): Readonly<Record<string, string>> {
  if (canBlock) return { NODE_OPTIONS: `--import ${blocking}`, BENCH_BLOCK: directory.file(blockFlag) };
  return canCollect ? COLLECTING : {};
}

function configuration(setup: Setup, relay: string, socket: string): object {
  const { brokers, certificate, redisUrl, service, workers } = setup;
  const websocket = service.transport === 'websocket';
  const servers = brokers.map((broker, index) => {
    const address = `127.0.0.1:${broker}`;
    // The brokers answer plain MQTT at the same port: the check asks no more of WebSocket than HAProxy's does.
    return [`emqx${index + 1}`, websocket ? { address, websocket: true, check: { type: 'tcp' } } : address];
  });
  const bind = {
    address: '127.0.0.1:0',
    ...(certificate === null ? {} : { tls: { cert: certificate.cert, key: certificate.key } }),
    ...(websocket ? { websocket: true } : {}),
  };
  return {
    global: {
      name: 'bench',
      workers,
      maxconn: 9900,
      relay,
      runtime_api: [socket],
      log: { level: 'info', format: 'json' },
    },
    state: redisUrl === null ? { store: 'memory' } : { store: 'redis', redis: { url: redisUrl } },
    frontends: { mqtt: { bind: [bind], default_backend: 'emqx' } },
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
