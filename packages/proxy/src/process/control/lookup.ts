import type { ServerRef } from '../../admin/control.ts';
import type { BackendConfig, Config, FrontendConfig, ServerConfig } from '../../config/resolved.ts';
import { LimpetError } from '../../errors.ts';

/** @throws LimpetError UNKNOWN_BACKEND, which names those that there are */
export function findBackend({ backends }: Config, name: string): BackendConfig {
  const found = backends.find(backend => backend.name === name);
  if (found !== undefined) return found;
  const names = backends.map(backend => backend.name).join(', ');
  throw new LimpetError('UNKNOWN_BACKEND', `there is no backend ${shown(name)}`, `There are: ${names}.`);
}

/** @throws LimpetError UNKNOWN_BACKEND, UNKNOWN_SERVER, which name those that there are */
export function findServer(config: Config, { backend, server }: ServerRef): ServerConfig {
  const { servers } = findBackend(config, backend);
  const found = servers.find(({ name }) => name === server);
  if (found !== undefined) return found;
  const names = servers.map(({ name }) => `${backend}/${name}`).join(', ');
  throw new LimpetError(
    'UNKNOWN_SERVER',
    `there is no server ${shown(`${backend}/${server}`)}`,
    `There are: ${names}.`,
  );
}

/** @throws LimpetError UNKNOWN_FRONTEND, which names those that there are */
export function findFrontend({ frontends }: Config, name: string): FrontendConfig {
  const found = frontends.find(frontend => frontend.name === name);
  if (found !== undefined) return found;
  const names = frontends.map(frontend => frontend.name).join(', ');
  throw new LimpetError('UNKNOWN_FRONTEND', `there is no frontend ${shown(name)}`, `There are: ${names}.`);
}

/** `backend/server`, as logs and messages name it. */
export function nameOf({ backend, server }: ServerRef): string {
  return `${backend}/${server}`;
}

/** An operator's own text may have been pasted from anywhere. */
function shown(name: string): string {
  return JSON.stringify(name.slice(0, 100));
}
