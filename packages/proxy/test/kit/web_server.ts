/**
 * A real nginx as an HTTP server: a page of a dashboard, its script, and what the script asks for.
 */
import { readFile } from 'node:fs/promises';
import type { Issued } from './certificates.ts';
import { type Directory, makeDirectory } from './directory.ts';
import { startOnFreePort } from './port.ts';
import { type Process, startProcess } from './process.ts';

export interface WebServerOptions {
  /** What `/who` answers. */
  readonly name: string;
  /** With it, HTTPS. */
  readonly tls?: Issued;
  /** What `/status` answers; default 200. */
  readonly status?: number;
  /** A port of 127.0.0.1 that serves `/events`. */
  readonly events?: number;
}

/** A request that was answered. */
export interface WebRequest {
  /** Its connection's number, and which request of it this is, from 1. */
  readonly connection: number;
  readonly nth: number;
  readonly uri: string;
  readonly status: number;
}

/** Answers of `/who` and of the event stream show on the page only when script, request and stream have worked. */
const PAGE = `<!DOCTYPE html><html><head><title>Dashboard</title><link rel="stylesheet" href="/style.css"></head>
<body><p id="who">nobody</p><p id="event">silence</p><script src="/app.js"></script></body></html>
`;
const SCRIPT = `const show = (id, text) => { document.getElementById(id).textContent = text; };
fetch('/who').then(answer => answer.text()).then(text => show('who', 'served by ' + text));
const events = new EventSource('/events');
events.onmessage = event => { show('event', 'heard ' + event.data); events.close(); };
`;

export async function startWebServer(options: WebServerOptions): Promise<WebServer> {
  const directory = await makeDirectory('web');
  directory.write('index.html', PAGE);
  directory.write('app.js', SCRIPT);
  directory.write('style.css', 'body { color: green }\n');
  const launch = (port: number) => {
    const config = directory.write('nginx.conf', configuration(directory, port, options));
    return startProcess('nginx', ['-p', directory.path, '-e', 'stderr', '-c', config]);
  };
  try {
    const ready = (process: Process) => process.waitForLine(/using the "\w+" event method/);
    const { process, port } = await startOnFreePort(launch, ready);
    return new WebServer(directory, process, port);
  } catch (error) {
    await directory[Symbol.asyncDispose]();
    throw error;
  }
}

function configuration(directory: Directory, port: number, options: WebServerOptions): string {
  const { name, tls, status = 200, events } = options;
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `daemon off;
master_process off;
pid ${directory.file('nginx.pid')};
error_log stderr notice;
events { worker_connections 1024; }
http {
  types { text/html html; text/css css; application/javascript js; }
  ${temporary.map(what => `${what}_temp_path ${directory.file(what)};`).join('\n  ')}
  log_format request '$connection $connection_requests $request_uri $status';
  access_log ${directory.file('access.log')} request;
  server {
    listen 127.0.0.1:${port}${tls === undefined ? '' : ' ssl'};
    ${tls === undefined ? '' : `ssl_certificate ${tls.cert}; ssl_certificate_key ${tls.key}; ssl_protocols TLSv1.2 TLSv1.3;`}
    root ${directory.path};
    location = /who { return 200 "${name}"; }
    location = /status { return ${status} "${name}"; }
    ${events === undefined ? '' : `location = /events { proxy_pass http://127.0.0.1:${events}; proxy_buffering off; }`}
  }
}
`;
}

/** Disposing of it ends it and removes its folder. */
export class WebServer implements AsyncDisposable {
  readonly port: number;
  readonly process: Process;
  readonly #directory: Directory;

  constructor(directory: Directory, process: Process, port: number) {
    this.#directory = directory;
    this.process = process;
    this.port = port;
  }

  /** The requests that have been answered, oldest first. */
  async requests(): Promise<WebRequest[]> {
    const log = await readFile(this.#directory.file('access.log'), 'utf8');
    return log.split('\n').flatMap(line => (line === '' ? [] : [parse(line)]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process[Symbol.asyncDispose]();
    await this.#directory[Symbol.asyncDispose]();
  }
}

function parse(line: string): WebRequest {
  const [connection = '', nth = '', uri = '', status = ''] = line.split(' ');
  return { connection: Number(connection), nth: Number(nth), uri, status: Number(status) };
}
