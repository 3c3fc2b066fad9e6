/**
 * A real nginx (stream) that accepts PROXY headers and writes down what they said: a receiver that nobody here wrote.
 */
import { readFile } from 'node:fs/promises';
import { type Directory, makeDirectory } from './directory.ts';
import { startOnFreePort } from './port.ts';
import { type Process, startProcess } from './process.ts';

export interface NginxOptions {
  /** The port of 127.0.0.1 to which the bytes behind the PROXY header go. */
  readonly upstream: number;
}

/** A connection that ended, and its PROXY header. All are null where the header named nobody (LOCAL, UNKNOWN). */
export interface ProxiedConnection {
  readonly source: string | null;
  readonly sourcePort: number | null;
  readonly destination: string | null;
  readonly destinationPort: number | null;
  /** Bytes from the client, without the header. */
  readonly bytesIn: number;
}

const modules = '/usr/lib/nginx/modules/ngx_stream_module.so';

export async function startNginx(options: NginxOptions): Promise<Nginx> {
  const directory = await makeDirectory('nginx');
  const launch = (port: number) => {
    const config = directory.write('nginx.conf', configuration(directory, port, options));
    return startProcess('nginx', ['-p', directory.path, '-e', 'stderr', '-c', config]);
  };
  try {
    // With `notice` on standard error, this line comes when its sockets are open.
    const ready = (process: Process) => process.waitForLine(/using the "\w+" event method/);
    const { process, port } = await startOnFreePort(launch, ready);
    return new Nginx(directory, process, port);
  } catch (error) {
    await directory[Symbol.asyncDispose]();
    throw error;
  }
}

function configuration(directory: Directory, port: number, options: NginxOptions): string {
  const header = [
    '$proxy_protocol_addr',
    '$proxy_protocol_port',
    '$proxy_protocol_server_addr',
    '$proxy_protocol_server_port',
  ];
  // One process: ending it leaves nothing behind.
  return `daemon off;
master_process off;
pid ${directory.file('nginx.pid')};
error_log stderr notice;
load_module ${modules};
events { worker_connections 4096; }
stream {
  log_format header '${header.map(variable => `"${variable}"`).join(',')},$bytes_received';
  access_log ${directory.file('access.log')} header;
  server {
    listen 127.0.0.1:${port} proxy_protocol;
    proxy_pass 127.0.0.1:${options.upstream};
  }
}
`;
}

/** Disposing of it ends it and removes its folder. */
export class Nginx implements AsyncDisposable {
  readonly port: number;
  readonly process: Process;
  readonly #directory: Directory;

  constructor(directory: Directory, process: Process, port: number) {
    this.#directory = directory;
    this.process = process;
    this.port = port;
  }

  /** The connections that have ended, oldest first. */
  async connections(): Promise<ProxiedConnection[]> {
    const log = await readFile(this.#directory.file('access.log'), 'utf8');
    return log.split('\n').flatMap(line => (line === '' ? [] : [parse(line)]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process[Symbol.asyncDispose]();
    await this.#directory[Symbol.asyncDispose]();
  }
}

function parse(line: string): ProxiedConnection {
  const [source = '', sourcePort = '', destination = '', destinationPort = '', bytesIn = ''] = line
    .split(',')
    .map(field => field.replaceAll('"', ''));
  const named = (field: string) => (field === '' || field === '-' ? null : field);
  const port = (field: string) => (named(field) === null || field === '0' ? null : Number(field));
  return {
    source: named(source),
    sourcePort: port(sourcePort),
    destination: named(destination),
    destinationPort: port(destinationPort),
    bytesIn: Number(bytesIn),
  };
}
