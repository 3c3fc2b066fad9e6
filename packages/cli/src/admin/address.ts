import { LimpetError, loadConfig } from '@limpet/proxy';

/** Where a running proxy understands commands. */
export type Address =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

/** An address, and who named it, for errors. */
export interface Place {
  readonly address: Address;
  readonly from: string;
}

export const DEFAULT_SOCKET = '/run/limpet/limpet.sock';

export interface PlaceFlags {
  readonly socket?: string;
  readonly config?: string;
}

/**
 * The socket that is meant: `--socket`, else `$LIMPET_SOCKET`, else the first one of level admin in `-c FILE`, else the usual
 * one.
 * @throws LimpetError BAD_SOCKET, BAD_CONFIGURATION, NO_RUNTIME_API
 */
export function findPlace(flags: PlaceFlags, env: NodeJS.ProcessEnv): Place {
  if (flags.socket !== undefined) return named(flags.socket, '--socket');
  if (env.LIMPET_SOCKET) return named(env.LIMPET_SOCKET, '$LIMPET_SOCKET');
  if (flags.config !== undefined) return { address: configured(flags.config), from: `-c ${flags.config}` };
  return { address: { kind: 'unix', path: DEFAULT_SOCKET }, from: 'the default' };
}

/** `/run/x.sock`, `./x.sock`, `127.0.0.1:9999`, `[::1]:9999`; null: neither a path nor a host and a port. */
export function readAddress(text: string): Address | null {
  if (text.includes('/') || text.endsWith('.sock')) return { kind: 'unix', path: text };
  const parts = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const port = Number(parts?.[3] ?? 0);
  if (parts === null || port < 1 || port > 65_535) return null;
  return { kind: 'tcp', host: parts[1] ?? parts[2] ?? '', port };
}

/** As it is written. */
export function addressText(address: Address): string {
  if (address.kind === 'unix') return address.path;
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

function named(text: string, from: string): Place {
  const address = readAddress(text);
  if (address !== null) return { address, from };
  throw new LimpetError(
    'BAD_SOCKET',
    `${from} is ${JSON.stringify(text)}, neither a path nor a host and a port`,
    `Write ${DEFAULT_SOCKET}, ./limpet.sock or 127.0.0.1:9999.`,
  );
}

function configured(path: string): Address {
  const result = loadConfig(path);
  if (!result.ok) {
    const [only] = result.problems;
    // The file as a whole.
    if (only?.line === 0 && result.problems.length === 1) {
      const what = only.message.charAt(0).toLowerCase() + only.message.slice(1);
      throw new LimpetError('BAD_CONFIGURATION', `${only.file}: ${what}`, only.remedy);
    }
    throw new LimpetError(
      'BAD_CONFIGURATION',
      `${path} has ${result.problems.length === 1 ? '1 problem' : `${result.problems.length} problems`}, so it does not say where the proxy is asked`,
      `See: limpet check -c ${path}, or name the socket: --socket PATH.`,
    );
  }
  const sockets = result.config.global.runtimeApi.filter(({ listen }) => listen.kind === 'unix' || listen.port !== 0);
  const api = sockets.find(({ level }) => level === 'admin') ?? sockets[0];
  if (api !== undefined) return api.listen;
  throw new LimpetError(
    'NO_RUNTIME_API',
    `${path} has no runtime API, so the proxy cannot be asked`,
    `Add \`global: { runtime_api: ${DEFAULT_SOCKET} }\` and restart it.`,
  );
}
