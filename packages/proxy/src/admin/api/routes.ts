import type { Route } from './route.ts';
import { CLIENT_AND_TABLE_ROUTES } from './routes_clients.ts';
import { LOOK_ROUTES } from './routes_look.ts';
import { PROXY_ROUTES } from './routes_proxy.ts';
import { SERVER_ROUTES } from './routes_servers.ts';

/** The whole API. */
export const ROUTES: readonly Route[] = [...LOOK_ROUTES, ...SERVER_ROUTES, ...PROXY_ROUTES, ...CLIENT_AND_TABLE_ROUTES];
