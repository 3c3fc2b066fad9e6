import type { FrontendConfig } from '../config/resolved.ts';

/** The backends that a frontend may lead to: the default one first, then those of its rules, each once. */
export function leadsTo({ defaultBackend, routes, sniRoutes }: FrontendConfig): string[] {
  const ruled = routes.flatMap(({ action }) => ('backend' in action ? action.backend : []));
  return [...new Set([defaultBackend, ...ruled, ...sniRoutes.map(({ backend }) => backend)])];
}
