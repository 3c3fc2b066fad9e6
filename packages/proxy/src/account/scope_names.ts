import type { FrontendConfig } from '../config/resolved.ts';

/**
 * The name of a bind's scope: `mqtt/*:1883#0`. The number tells binds apart that are written alike (`:0`), and counts only
 * these: a bind keeps its name, and its counters, when a reload puts others before it.
 */
export function bindScope({ name, binds }: Pick<FrontendConfig, 'name' | 'binds'>, place: number): string {
  const label = binds[place]?.label ?? '';
  const alike = binds.slice(0, place).filter(bind => bind.label === label).length;
  return `${name}/${label}#${alike}`;
}

/** The name of a server's scope: `emqx/emqx1`. */
export function serverScope(backend: string, server: string): string {
  return `${backend}/${server}`;
}
