/**
 * HAProxy with the sticky configuration of EMQX's documentation, put right: plain commas, `inspect-delay`, `check` on
 * the servers, and a log that goes somewhere. Over WebSocket it knows no client ids: `mode tcp`, without stickiness.
 */
import { execFileSync } from 'node:child_process';
import { connect } from 'node:net';
import type { Directory } from '../packages/proxy/test/kit/directory.ts';
import { freePort } from '../packages/proxy/test/kit/port.ts';
import type { Setup } from './service.ts';
import { startTarget, type Target } from './target.ts';

const largeBufferBytes = 65_536;

export async function startHaproxy(setup: Setup): Promise<Target> {
  return start(setup, 'haproxy', null);
}

/** With buffers that hold as much as Limpet reads at once. */
export async function startHaproxy64k(setup: Setup): Promise<Target> {
  return start(setup, 'haproxy-64k', largeBufferBytes);
}

async function start(setup: Setup, name: 'haproxy' | 'haproxy-64k', bufferBytes: number | null): Promise<Target> {
  const port = await freePort();
  const [version = ''] = execFileSync('haproxy', ['-v'], { encoding: 'utf8' }).split('\n');
  const file = (directory: Directory): string =>
    directory.write('haproxy.cfg', configuration(setup, port, directory.file('haproxy.sock'), bufferBytes));
  return startTarget({
    name,
    version,
    // Master and worker, as systemd starts it, so that it can be reloaded.
    command: directory => ['haproxy', '-W', '-db', '-f', file(directory)],
    ready: async () => ((await accepts(port)) ? port : null),
  });
}

function configuration(setup: Setup, port: number, socket: string, bufferBytes: number | null): string {
  const { brokers, certificate, service, workers } = setup;
  const servers = brokers.map((broker, index) => `  server emqx${index + 1} 127.0.0.1:${broker} check`);
  const tls = certificate === null ? '' : ` ssl crt ${certificate.bundle}`;
  const isMqtt = service.transport !== 'websocket';
  return `global
  log stdout format raw local3 info
  stats socket ${socket} mode 600 level admin
  nbthread ${workers}
  maxconn 9900
${bufferBytes === null ? '' : `  tune.bufsize ${bufferBytes}\n`}
defaults
  log global
  mode tcp
  option tcplog
  timeout connect 10000
  timeout client 240s
  timeout server 240s
  maxconn 9900

frontend mqtt_servers
  bind 127.0.0.1:${port}${tls}
${isMqtt ? inspection : ''}  default_backend mqtt_backend

backend mqtt_backend
${isMqtt ? stickiness : ''}${servers.join('\n')}
`;
}

const inspection = `  tcp-request inspect-delay 10s
  tcp-request content reject unless { req.payload(0,0),mqtt_is_valid }
`;
const stickiness = `  stick-table type string len 32 size 100k expire 30m
  stick on req.payload(0,0),mqtt_field_value(connect,client_identifier)
`;

/** Whether somebody listens there. */
export function accepts(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.resetAndDestroy();
      resolve(true);
    });
  });
}
