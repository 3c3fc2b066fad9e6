import type { BindConfig, Config } from './resolved.ts';

/**
 * What makes a bind the same one across reloads: its address. Binds to any free port (`:0`) may be many of one address:
 * they are the same at the same place of the same frontend.
 */
export function bindKey(frontend: string, place: number, { host, port }: BindConfig): string {
  return port === 0 ? `${frontend}/${place} ${host}` : `${host}:${port}`;
}

/** A bind with where it stands. */
export interface PlacedBind {
  readonly key: string;
  readonly frontend: string;
  readonly place: number;
  readonly bind: BindConfig;
}

/** All binds of a configuration, in its order. */
export function bindsOf({ frontends }: Pick<Config, 'frontends'>): PlacedBind[] {
  return frontends.flatMap(({ name, binds }) =>
    binds.map((bind, place) => ({ key: bindKey(name, place, bind), frontend: name, place, bind })),
  );
}
