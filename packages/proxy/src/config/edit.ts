/**
 * Edits of a configuration by an operator, at run time. Pure: each answers a new one. What does not exist is left to the
 * caller to find out before.
 */
import type { BackendConfig, Config, FrontendConfig, ServerConfig } from './resolved.ts';

export function withServer(config: Config, backend: string, server: ServerConfig): Config {
  return withBackend(config, backend, known => ({ ...known, servers: [...known.servers, server] }));
}

export function withoutServer(config: Config, backend: string, server: string): Config {
  return withBackend(config, backend, known => ({
    ...known,
    servers: known.servers.filter(({ name }) => name !== server),
  }));
}

export function withServerChanged(
  config: Config,
  backend: string,
  server: string,
  change: Partial<Pick<ServerConfig, 'host' | 'port' | 'maxconn'>>,
): Config {
  return withBackend(config, backend, known => ({
    ...known,
    servers: known.servers.map(one => (one.name === server ? { ...one, ...change } : one)),
  }));
}

export function withFrontendChanged(
  config: Config,
  frontend: string,
  change: Partial<Pick<FrontendConfig, 'maxconn' | 'connRate' | 'binds'>>,
): Config {
  const frontends = config.frontends.map(one => (one.name === frontend ? { ...one, ...change } : one));
  return { ...config, frontends };
}

export function withMaxconn(config: Config, maxconn: number): Config {
  return { ...config, global: { ...config.global, maxconn } };
}

/** Frontends that an operator has disabled have no binds. */
export function withDisabled(config: Config, disabled: ReadonlySet<string>): Config {
  return [...disabled].reduce((edited, frontend) => withFrontendChanged(edited, frontend, { binds: [] }), config);
}

function withBackend(config: Config, backend: string, change: (known: BackendConfig) => BackendConfig): Config {
  return { ...config, backends: config.backends.map(one => (one.name === backend ? change(one) : one)) };
}
