/** The HTTP side over a Control without a proxy behind it, on a free port. */
import { type IncomingMessage, request } from 'node:http';
import { type StatsServer, startStats } from '../../../src/admin/http/stats_server.ts';
import type { StatsConfig, StatsUser } from '../../../src/config/resolved.ts';
import { FakeControl } from '../../kit/admin_control.ts';
import { within } from '../../kit/condition.ts';
import { LinesLog } from '../../kit/lines_log.ts';

export const CONFIG: StatsConfig = {
  ...{ label: '127.0.0.1:0', host: '127.0.0.1', port: 0, uri: '/stats', refreshMs: 60_000, tls: null },
  ...{ users: [], hosts: ['lb1.example.com'] },
};

/** Of the word `limpet`, as cheap as may be. */
const HASH = '$scrypt$ln=14,r=1,p=1$bGltcGV0LXRlc3Qtc2FsdA$uE8g+k1ILtb+mupKgdeCIEEH3RkgwijmU+IbgxHAXcg';

/** One of each level, named after it, with the password `limpet`. */
export const USERS: readonly StatsUser[] = (['admin', 'operator', 'user'] as const).map(level => ({
  name: level,
  level,
  password: HASH,
}));

export async function serve(changes: Partial<StatsConfig> = {}): Promise<Served> {
  const control = new FakeControl();
  const log = new LinesLog();
  return new Served(await startStats({ ...CONFIG, ...changes }, control, log), control, log);
}

export interface Got {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes
  readonly json: any;
}

export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** User and password. */
  readonly as?: string;
}

export const ORDER: Readonly<Record<string, string>> = { 'Content-Type': 'application/json', 'X-Limpet-Request': '1' };

export class Served implements AsyncDisposable {
  readonly server: StatsServer;
  readonly control: FakeControl;
  readonly log: LinesLog;

  constructor(server: StatsServer, control: FakeControl, log: LinesLog) {
    this.server = server;
    this.control = control;
    this.log = log;
  }

  get port(): number {
    return Number(this.server.listening.split(':').at(-1));
  }

  get base(): string {
    return `http://${this.server.listening}`;
  }

  /** Asks by Node's own client, which sends a path as it is. */
  ask(path: string, { method = 'GET', headers = {}, body, as }: Asked = {}): Promise<Got> {
    const auth = as === undefined ? {} : { auth: as };
    const answered = new Promise<Got>((resolve, reject) => {
      const asking = request({ port: this.port, host: '127.0.0.1', path, method, headers, ...auth, agent: false });
      asking.on('error', reject);
      asking.on('response', response => void readAll(response).then(resolve, reject));
      asking.end(body);
    });
    return within(answered, { what: `an answer to ${method} ${path}` });
  }

  /** Orders something, as a program of ours does. */
  order(method: string, path: string, body?: unknown, as?: string): Promise<Got> {
    const text = body === undefined ? '' : JSON.stringify(body);
    return this.ask(`/api/v1${path}`, { method, headers: ORDER, body: text, ...(as === undefined ? {} : { as }) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
  }
}

async function readAll(response: IncomingMessage): Promise<Got> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  const isJson = response.headers['content-type']?.startsWith('application/json') && text !== '';
  return { status: response.statusCode ?? 0, headers: response.headers, text, json: isJson ? JSON.parse(text) : null };
}
