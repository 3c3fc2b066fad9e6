import net from 'node:net';
import { getSystemErrorName } from 'node:util';
import type { BindConfig } from '../config/resolved.ts';
import { errorCode, LimpetError } from '../errors.ts';
import type { NativeAddon } from '../native/addon.ts';
import { loadAddon } from '../native/load_addon.ts';

/** A bound socket that does not accept. The kernel sees it live as long as the primary, whatever happens to workers. */
export interface BoundSocket {
  readonly address: string;
  readonly port: number;
  /** Handed to a worker with its IPC message; the primary keeps its own copy. */
  readonly handle: BoundHandle;
  /** Others may be bound beside it, each worker its own. */
  readonly reusePort: boolean;
}

export interface BoundHandle {
  close(): void;
  getsockname(out: { address?: string; port?: number }): number;
}

/** libuv's UV_TCP_REUSEPORT; Node passes it through from 22.12 on and ignores it before. */
const REUSEPORT = 2;

/**
 * Node has no public call for "bind, but do not accept". node:cluster itself uses this one for SCHED_NONE, and it is the
 * only way to hold a port in the primary without the primary ever touching a connection. Returns a number on failure.
 */
const createServerHandle = (
  net as unknown as {
    _createServerHandle(
      address: string | null,
      port: number | null,
      family: 4 | 6 | null,
      fd?: number,
      flags?: number,
    ): BoundHandle | number;
  }
)._createServerHandle;

/** Whether libuv can give each worker a socket of its own, so that the kernel spreads connections evenly. */
const isInLibuv: boolean = atLeast(22, 12) && !process.versions.node.startsWith('23.0.');

/** Where libuv cannot, the addon can. It is loaded when something is bound: not by every command that imports this program. */
function otherBinder(): NativeAddon | null {
  return isInLibuv ? null : loadAddon().addon;
}

/** Whether each worker can have listening sockets of its own here, whichever relay is in use. */
export function hasReusePort(): boolean {
  return isInLibuv || otherBinder() !== null;
}

function atLeast(major: number, minor: number): boolean {
  const [ours = 0, oursMinor = 0] = process.versions.node.split('.').map(Number);
  return ours > major || (ours === major && oursMinor >= minor);
}

/**
 * The sockets of one bind: one for every worker where the kernel can spread connections over them, else one for all.
 * A free port (`:0`) is the same for all of them.
 * @throws LimpetError BIND_IN_USE, BIND_DENIED, BIND_NO_ADDRESS, BIND_NO_DESCRIPTORS, BIND_FAILED
 */
export async function bindAll(bind: BindConfig, workers: number): Promise<BoundSocket[]> {
  const port = await probe(bind);
  if (!hasReusePort()) return [bindOne(bind, port, false)];
  return closedOnFailure(workers, () => bindOne(bind, port, true));
}

/**
 * So many sockets beside one that a bind has, on its port, where workers have sockets of their own; else none.
 * @throws LimpetError as bindAll
 */
export function bindMore(bind: BindConfig, { port, reusePort }: BoundSocket, count: number): BoundSocket[] {
  const isPossible = reusePort && count > 0 && hasReusePort();
  return isPossible ? closedOnFailure(count, () => bindOne(bind, port, true)) : [];
}

function closedOnFailure(count: number, bind: () => BoundSocket): BoundSocket[] {
  const sockets: BoundSocket[] = [];
  try {
    for (let made = 0; made < count; made += 1) sockets.push(bind());
    return sockets;
  } catch (error) {
    for (const { handle } of sockets) handle.close();
    throw error;
  }
}

/**
 * Listens for a moment, alone: only listen() says whether somebody else has the port (bind() does not, with
 * SO_REUSEADDR, and SO_REUSEPORT would share it silently). Resolves to the port.
 */
function probe(bind: BindConfig): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', error => reject(bindError(bind, errorCode(error))));
    server.listen({ host: bind.host, port: bind.port, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : bind.port));
    });
  });
}

function bindOne(bind: BindConfig, port: number, reusePort: boolean): BoundSocket {
  const binder = reusePort ? otherBinder() : null;
  const handle = binder === null ? boundByLibuv(bind, port, reusePort) : boundByAddon(binder, bind, port);
  if (typeof handle === 'number') throw bindError(bind, getSystemErrorName(handle));
  const name: { address?: string; port?: number } = {};
  handle.getsockname(name);
  return { handle, address: name.address ?? bind.host, port, reusePort };
}

function boundByLibuv({ host }: BindConfig, port: number, reusePort: boolean): BoundHandle | number {
  return createServerHandle(host, port, net.isIPv6(host) ? 6 : 4, undefined, reusePort ? REUSEPORT : 0);
}

/** The handle has the descriptor then, and closes it. */
function boundByAddon(addon: NativeAddon, bind: BindConfig, port: number): BoundHandle | number {
  try {
    return createServerHandle(null, null, null, addon.bind(bind.host, port, true));
  } catch (error) {
    throw bindError(bind, errorCode(error));
  }
}

function bindError(bind: BindConfig, code: string): LimpetError {
  const where = `cannot listen on ${bind.label}`;
  switch (code) {
    case 'EADDRINUSE':
      return new LimpetError(
        'BIND_IN_USE',
        `${where}: the port is in use`,
        `stop the program that has it (ss -ltnp 'sport = :${bind.port}' shows it) or bind another port`,
      );
    case 'EACCES':
      return new LimpetError(
        'BIND_DENIED',
        `${where}: no permission`,
        'ports below 1024 need root, CAP_NET_BIND_SERVICE, or a lower net.ipv4.ip_unprivileged_port_start',
      );
    case 'EADDRNOTAVAIL':
      return new LimpetError(
        'BIND_NO_ADDRESS',
        `${where}: this host does not have the address`,
        'bind an address that `ip address` shows, or * for all',
      );
    case 'EMFILE':
    case 'ENFILE':
      return new LimpetError(
        'BIND_NO_DESCRIPTORS',
        `${where}: no file descriptors left`,
        'raise the limit (ulimit -n, LimitNOFILE=)',
      );
    default:
      return new LimpetError(
        'BIND_FAILED',
        `${where}: ${code}`,
        'check the address and the network set-up of this host',
      );
  }
}
