import { createServer, type Server, type Socket } from 'node:net';
import type { RuntimeApiConfig } from '../../config/resolved.ts';
import { errorCode, LimpetError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { ApiHandler } from '../api/contract.ts';
import type { Control } from '../control.ts';
import { ClientSocket, turnAway } from './client_socket.ts';
import { COMMANDS } from './commands.ts';
import { Conversation } from './conversation.ts';
import { adorn, demandSafeFolder, isStillOurs, listenOnPath, removeSocketFile, type SocketFile } from './unix_path.ts';

/** Clients of one socket at a time; then the one that is silent for the longest makes room. */
const MOST_CLIENTS = 64;
const TOO_MANY = `Too many connections: at most ${MOST_CLIENTS}.\n\n`;
const CLOSED = 'This socket is closed.\n\n';
/** So long a command that runs when the door is closed may still take. */
const CLOSE_MS = 1000;

/** What all doors lead to. */
export interface House {
  readonly control: Control;
  readonly api: ApiHandler;
  readonly log: Log;
}

/** One socket on which commands are understood. Whoever opened it closes it. */
export class Door {
  /** A path, or `host:port`. */
  readonly address: string;
  #config: RuntimeApiConfig;
  readonly #house: House;
  readonly #server: Server;
  readonly #file: SocketFile | null;
  /** With the end of each one's service. */
  readonly #clients = new Map<Conversation, Promise<void>>();
  /** Turned away, and not yet closed. */
  #lingering = 0;

  private constructor(config: RuntimeApiConfig, house: House, server: Server, file: SocketFile | null) {
    this.#config = config;
    this.#house = house;
    this.#server = server;
    this.#file = file;
    this.address = file === null ? tcpAddress(server) : file.path;
  }

  /** @throws LimpetError where it cannot listen */
  static async open(config: RuntimeApiConfig, house: House): Promise<Door> {
    // A client may have closed its side and still wait for the answer.
    const server = createServer({ allowHalfOpen: true });
    const { predecessorPid } = house.control.snapshot().info.upgrade;
    const { listen } = config;
    const file = listen.kind === 'unix' ? await listenOnPath(server, listen, predecessorPid) : null;
    if (listen.kind === 'tcp') await listenOnTcp(server, listen.host, listen.port);
    const door = new Door(config, house, server, file);
    server.on('connection', socket => door.#welcome(socket));
    server.on('error', error => {
      house.log.warn('runtime_api_accept', { address: door.address, reason: errorCode(error) });
    });
    return door;
  }

  get hasClients(): boolean {
    return this.#clients.size > 0;
  }

  /**
   * Timeout and a higher level hold for clients that come from now on; owner, mode and a lower level at once.
   * @throws LimpetError; then the level is as before
   */
  async change(config: RuntimeApiConfig): Promise<void> {
    const { listen } = config;
    if (listen.kind === 'unix' && this.#file !== null && (await isStillOurs(this.#file))) {
      await demandSafeFolder(listen.path);
      await adorn(listen.path, listen);
    }
    this.#config = config;
    for (const client of this.#clients.keys()) client.lowerLevel(config.level);
  }

  /** Nobody new comes in. Who is there is told so and sent away; commands that run are answered. */
  async release(): Promise<void> {
    await this.#shut();
    for (const client of this.#clients.keys()) client.stop(CLOSED);
  }

  /** Nobody new comes in, and who is there is sent away; commands that run have a second. */
  async close(): Promise<void> {
    await this.release();
    const late = setTimeout(() => {
      for (const client of this.#clients.keys()) client.abandon();
    }, CLOSE_MS);
    await Promise.all(this.#clients.values());
    clearTimeout(late);
  }

  async #shut(): Promise<void> {
    this.#server.close();
    if (this.#file !== null) await removeSocketFile(this.#file);
  }

  #welcome(socket: Socket): void {
    if (!this.#hasRoom()) {
      this.#turnAway(socket);
      return;
    }
    const { level, timeoutMs, listen } = this.#config;
    const { control, api, log } = this.#house;
    const options = { control, api, log, level, commands: COMMANDS, by: `runtime_api ${listen.kind}` };
    const client = new Conversation(new ClientSocket(socket, timeoutMs), options);
    const served = client.serve().then(() => {
      this.#clients.delete(client);
    });
    this.#clients.set(client, served);
  }

  /** They hold descriptors, too: no more of them wait for their clients to close than are served. */
  #turnAway(socket: Socket): void {
    const lingers = this.#lingering < MOST_CLIENTS;
    if (lingers) {
      this.#lingering += 1;
      socket.once('close', () => {
        this.#lingering -= 1;
      });
    }
    turnAway(socket, TOO_MANY, lingers);
  }

  /** Or makes room. No: all are being answered. */
  #hasRoom(): boolean {
    if (this.#clients.size < MOST_CLIENTS) return true;
    const silent = [...this.#clients.keys()].flatMap(client =>
      client.silentSinceMs === null ? [] : [{ client, sinceMs: client.silentSinceMs }],
    );
    const [longest] = silent.sort((a, b) => a.sinceMs - b.sinceMs);
    if (longest === undefined) return false;
    this.#clients.delete(longest.client);
    longest.client.dismiss(TOO_MANY);
    return true;
  }
}

function listenOnTcp(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      const what = `cannot listen on ${host}:${port}: ${errorCode(error)}`;
      reject(
        new LimpetError('RUNTIME_API_IN_USE', what, 'Stop who listens there, or take another port.', { cause: error }),
      );
    };
    server.once('error', fail);
    server.listen({ host, port, exclusive: true, backlog: 64 }, () => {
      server.off('error', fail);
      resolve();
    });
  });
}

function tcpAddress(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === 'string') return '';
  return address.family === 'IPv6' ? `[${address.address}]:${address.port}` : `${address.address}:${address.port}`;
}
