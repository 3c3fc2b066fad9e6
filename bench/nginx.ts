/**
 * nginx stream: brokers in turn, for it reads no client ids. With a log line for each connection, as the others.
 */
import { spawnSync } from 'node:child_process';
import { freePort } from '../packages/proxy/test/kit/port.ts';
import { accepts } from './haproxy.ts';
import type { Setup } from './service.ts';
import { startTarget, type Target } from './target.ts';

const module = '/usr/lib/nginx/modules/ngx_stream_module.so';

export async function startNginx(setup: Setup): Promise<Target> {
  const port = await freePort();
  // It tells its version on standard error.
  const version = spawnSync('nginx', ['-v'], {
    encoding: 'utf8',
    env: { PATH: `${process.env.PATH}:/usr/sbin` },
  }).stderr;
  return startTarget({
    name: 'nginx',
    version: version.trim(),
    command: directory => {
      const file = directory.write('nginx.conf', configuration(setup, port, directory.path));
      return ['nginx', '-p', directory.path, '-e', 'stderr', '-c', file];
    },
    ready: async () => ((await accepts(port)) ? port : null),
  });
}

function configuration({ brokers, workers }: Setup, port: number, folder: string): string {
  const servers = brokers.map(broker => `    server 127.0.0.1:${broker};`);
  return `daemon off;
pid ${folder}/nginx.pid;
worker_processes ${workers};
worker_rlimit_nofile 20000;
error_log stderr error;
load_module ${module};
events { worker_connections 19900; }
stream {
  log_format tcp '$remote_addr:$remote_port [$time_local] $upstream_addr $session_time $bytes_sent $status';
  access_log /dev/stdout tcp;
  upstream brokers {
${servers.join('\n')}
  }
  server {
    listen 127.0.0.1:${port} reuseport backlog=4096;
    proxy_connect_timeout 10s;
    proxy_timeout 240s;
    tcp_nodelay on;
    proxy_pass brokers;
  }
}
`;
}
