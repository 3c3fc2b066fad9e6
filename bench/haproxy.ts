/**
 * HAProxy with the sticky configuration of EMQX's documentation, put right: plain commas, `inspect-delay`, `check` on
 * the servers, and a log that goes somewhere.
 */
import { execFileSync } from 'node:child_process';
import { connect } from 'node:net';
import { freePort } from '../packages/proxy/test/kit/port.ts';
import { type Setup, startTarget, type Target } from './target.ts';

export async function startHaproxy(setup: Setup): Promise<Target> {
  const port = await freePort();
  const [version = ''] = execFileSync('haproxy', ['-v'], { encoding: 'utf8' }).split('\n');
  return startTarget({
    name: 'haproxy',
    version,
    command: directory => ['haproxy', '-db', '-f', directory.write('haproxy.cfg', configuration(setup, port))],
    ready: async () => ((await accepts(port)) ? port : null),
  });
}

function configuration(setup: Setup, port: number): string {
  const servers = setup.brokers.map((broker, index) => `  server emqx${index + 1} 127.0.0.1:${broker} check`);
  return `global
  log stdout format raw local3 info
  nbthread ${setup.workers}
  maxconn 8000

defaults
  log global
  mode tcp
  option tcplog
  timeout connect 10000
  timeout client 240s
  timeout server 240s
  maxconn 8000

frontend mqtt_servers
  bind 127.0.0.1:${port}
  tcp-request inspect-delay 10s
  tcp-request content reject unless { req.payload(0,0),mqtt_is_valid }
  default_backend mqtt_backend

backend mqtt_backend
  stick-table type string len 32 size 100k expire 30m
  stick on req.payload(0,0),mqtt_field_value(connect,client_identifier)
${servers.join('\n')}
`;
}

function accepts(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.resetAndDestroy());
  });
}
