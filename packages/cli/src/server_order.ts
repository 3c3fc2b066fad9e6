import { path } from './admin/admin_client.ts';
import type { Server } from './admin/facts.ts';
import type { ServerName } from './arguments.ts';
import { count, counted } from './output/numbers.ts';
import { printJson } from './output/print.ts';
import { type ProxyFlags, runningProxy } from './running_proxy.ts';
import { serverState } from './server_state.ts';

export function serverPath({ backend, server }: ServerName): string {
  return path`/servers/${backend}/${server}`;
}

/** Changes one thing of a server, and says how it stands then. @throws LimpetError */
export async function putServer(ref: ServerName, what: string, body: unknown, flags: ProxyFlags): Promise<void> {
  tellServer(await runningProxy(flags).send<Server>('PUT', `${serverPath(ref)}/${what}`, body), flags);
}

/** Says how the server stands. */
export function tellServer(server: Server, flags: ProxyFlags): void {
  if (flags.json) printJson(server);
  else console.log(serverLine(server));
}

/** `emqx/emqx1: DRAIN, weight 5 (configured: 1), 1,048 sessions`. */
function serverLine(server: Server): string {
  const { backend, name, weight, weight_configured: configured } = server;
  const was = weight === configured ? '' : ` (configured: ${configured})`;
  return `${backend}/${name}: ${serverState(server).word}, weight ${weight}${was}, ${sessionsText(server)}`;
}

/** In maint those that are there are being closed. */
function sessionsText({ admin, sessions, maxconn }: Server): string {
  if (admin === 'maint' && sessions > 0) return `closing ${counted(sessions, 'session')}`;
  return maxconn === null ? counted(sessions, 'session') : `${count(sessions)} of ${counted(maxconn, 'session')}`;
}
