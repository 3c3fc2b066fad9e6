/** A runtime API of its own, before a Control that is no proxy. */
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import type { ApiHandler } from '../../../../src/admin/api/contract.ts';
import { type RuntimeApi, startRuntimeApi } from '../../../../src/admin/runtime/runtime_api.ts';
import type { AdminLevel, RuntimeApiConfig } from '../../../../src/config/resolved.ts';
import { SILENT } from '../../../../src/log.ts';
import { type Directory, makeDirectory } from '../../../kit/directory.ts';
import { PlainControl } from '../../../unit/admin/runtime/plain_control.ts';

export interface House extends AsyncDisposable {
  readonly control: PlainControl;
  readonly api: RuntimeApi;
  readonly directory: Directory;
  /** Of the first socket. */
  readonly path: string;
}

export interface HouseOptions {
  readonly level?: AdminLevel;
  readonly timeoutMs?: number;
  readonly handler?: ApiHandler;
}

export function unixConfig(path: string, options: HouseOptions = {}): RuntimeApiConfig {
  return {
    label: path,
    listen: { kind: 'unix', path, mode: 0o600, user: null, group: null },
    level: options.level ?? 'admin',
    timeoutMs: options.timeoutMs ?? 10_000,
  };
}

export const TCP_CONFIG: RuntimeApiConfig = {
  label: '127.0.0.1:0',
  listen: { kind: 'tcp', host: '127.0.0.1', port: 0 },
  level: 'admin',
  timeoutMs: 10_000,
};

const ECHO: ApiHandler = async request => {
  const chunks: Buffer[] = [];
  for await (const chunk of request.body) chunks.push(chunk);
  const { method, path, level, by } = request;
  const json = { method, path, query: [...request.query], body: Buffer.concat(chunks).toString(), level, by };
  return { status: 200, json };
};

export async function openHouse(options: HouseOptions = {}): Promise<House> {
  const directory = await makeDirectory('runtime');
  const control = new PlainControl();
  const path = directory.file('api.sock');
  const api = await startRuntimeApi([unixConfig(path, options)], control, options.handler ?? ECHO, SILENT);
  return {
    control,
    api,
    directory,
    path,
    [Symbol.asyncDispose]: async () => {
      await api.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** All that is answered to what is said, as `echo … | socat` asks: the client closes its side at once. */
export async function ask(path: string, said: string): Promise<string> {
  const socket = connect({ path });
  socket.end(said);
  return text(socket);
}

/** A client that stays, and remembers what it was told. */
export class Terminal implements AsyncDisposable {
  readonly socket: Socket;
  heard = '';
  isClosed = false;

  constructor(path: string) {
    this.socket = connect({ path });
    this.socket.setEncoding('utf8');
    this.socket.on('data', chunk => {
      this.heard += chunk;
    });
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.isClosed = true;
    });
  }

  say(line: string): void {
    this.socket.write(line);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
  }
}
