import type { SniRouteConfig } from '../config/resolved.ts';

/**
 * The backend for a server name; null: none of the routes has it. An exact name goes before `*.`, which stands for one
 * label. @param sni in lower case, as readClientHello() answers it
 */
export function sniBackend(routes: readonly SniRouteConfig[], sni: string | null): string | null {
  if (sni === null) return null;
  const dot = sni.indexOf('.');
  const wildcard = dot > 0 ? `*${sni.slice(dot)}` : null;
  const route = routes.find(({ host }) => host === sni) ?? routes.find(({ host }) => host === wildcard);
  return route?.backend ?? null;
}
