import type { Command } from 'commander';
import { DEFAULT_SOCKET, findPlace, type PlaceFlags } from './admin/address.ts';
import { AdminClient } from './admin/admin_client.ts';
import type { Backend, Frontend, Info, Overview, Peer, Task, Worker } from './admin/facts.ts';

export interface ProxyFlags extends PlaceFlags {
  readonly json?: boolean;
}

/** What the help of every command that asks a running proxy ends with. */
export const WHERE_HELP: string = `
The proxy is asked on its runtime API: the socket that --socket names, else $LIMPET_SOCKET, else the first one of level
admin in the file that -c names, else ${DEFAULT_SOCKET}.
`;

/** Adds the options that say which proxy is meant, the same for every command that asks one. */
export function withSocketOption(command: Command): Command {
  return command
    .option('--socket <address>', "the proxy's runtime API: a path, or host:port")
    .option('-c, --config <path>', "the proxy's configuration, which names its runtime API");
}

/** The same, and `--json`. */
export function withProxyOptions(command: Command): Command {
  return withSocketOption(command).option('--json', 'print JSON for programs');
}

/** @throws LimpetError where the flags or the file name no socket */
export function runningProxy(flags: PlaceFlags): AdminClient {
  return new AdminClient(findPlace(flags, process.env));
}

const LOOKS = ['/info', '/frontends', '/backends', '/workers', '/tasks', '/proxies'] as const;

/** All that is to be seen at one moment. @throws LimpetError */
export async function overview(proxy: AdminClient): Promise<Overview> {
  const answers = await proxy.all(LOOKS.map(path => ({ method: 'GET', path }) as const));
  const [info, { frontends }, { backends }, { workers }, { tasks }, { proxies }] = answers as [
    Info,
    { readonly frontends: readonly Frontend[] },
    { readonly backends: readonly Backend[] },
    { readonly workers: readonly Worker[] },
    { readonly tasks: readonly Task[] },
    { readonly proxies: readonly Peer[] },
  ];
  return { info, frontends, backends, workers, tasks, proxies };
}
