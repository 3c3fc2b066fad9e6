import { z } from 'zod';
import type { AdminLevel, Control, ServerRef } from '../control.ts';
import { findServer } from './find.ts';
import { task } from './proxy_schema.ts';
import {
  addBody,
  addressBody,
  drainBody,
  enabledBody,
  healthBody,
  maxconnBody,
  newServer,
  REASON_CODES,
  rebalanceBody,
  stateBody,
  weightBody,
} from './requests.ts';
import { type Route, route } from './route.ts';
import { ok } from './routes_look.ts';
import { server } from './server_schema.ts';

export const done: z.ZodType<{ readonly done: true }> = z.strictObject({ done: z.literal(true) });

interface Setting<Body> {
  readonly what: string;
  readonly level: AdminLevel;
  readonly summary: string;
  readonly body: z.ZodType<Body>;
  readonly set: (control: Control, server: ServerRef, body: Body, by: string) => Promise<void>;
}

/** `PUT /servers/{backend}/{server}/WHAT`: answers the server as it is then. */
function setting<Body>({ what, level, summary, body, set }: Setting<Body>): Route {
  return route({
    method: 'PUT',
    path: `/servers/{backend}/{server}/${what}`,
    level,
    summary,
    body,
    answers: ok(server, 'The server as it is now.'),
    run: async ({ control, params, body: said, request }) => {
      // The path's names are those that a template type cannot tell.
      const { backend = '', server: name = '' } = params as Readonly<Record<string, string>>;
      await set(control, { backend, server: name }, said, request.by);
      return findServer(control, backend, name);
    },
  });
}

const SETTINGS: readonly Route[] = [
  setting({
    what: 'state',
    level: 'operator',
    summary: 'Puts a server into service or takes it out.',
    body: stateBody,
    set: (control, ref, { state }, by) => control.setServerState(ref, state, by),
  }),
  setting({
    what: 'weight',
    level: 'operator',
    summary: 'Changes a server’s weight.',
    body: weightBody,
    set: (control, ref, { weight }, by) => control.setServerWeight(ref, weight, by),
  }),
  setting({
    what: 'maxconn',
    level: 'operator',
    summary: 'Changes a server’s limit of connections.',
    body: maxconnBody,
    set: (control, ref, { maxconn }, by) => control.setServerMaxconn(ref, maxconn, by),
  }),
  setting({
    what: 'health',
    level: 'operator',
    summary: 'Forces the checks’ verdict.',
    body: healthBody,
    set: (control, ref, { health }, by) => control.setServerHealth(ref, health, by),
  }),
  setting({
    what: 'checks',
    level: 'operator',
    summary: 'Switches health checks on or off; while off, the verdict stays.',
    body: enabledBody,
    set: (control, ref, { enabled }, by) => control.setServerChecks(ref, enabled, by),
  }),
  setting({
    what: 'address',
    level: 'admin',
    summary: 'Changes where a server is, for new sessions.',
    body: addressBody,
    set: (control, ref, { host, port }, by) => control.setServerAddress(ref, host, port, by),
  }),
];

export const SERVER_ROUTES: readonly Route[] = [
  ...SETTINGS,
  route({
    method: 'POST',
    path: '/servers/{backend}',
    level: 'admin',
    summary: 'Adds a server until the next start; it is not written to the file.',
    body: addBody,
    answers: { status: 201, schema: server, meaning: 'The new server.' },
    run: async ({ control, params, body, request }) => {
      await control.addServer({ backend: params.backend, server: body.name }, newServer(body), request.by);
      return findServer(control, params.backend, body.name);
    },
  }),
  route({
    method: 'DELETE',
    path: '/servers/{backend}/{server}',
    level: 'admin',
    summary: 'Removes a server, which must be in `maint` and without sessions.',
    answers: ok(done, 'It is gone.'),
    run: async ({ control, params, request }) => {
      await control.delServer(params, request.by);
      return { done: true };
    },
  }),
  route({
    method: 'POST',
    path: '/servers/{backend}/{server}/drain',
    level: 'operator',
    summary: 'Sets the server to `drain` and empties it at a pace.',
    body: drainBody,
    answers: { status: 202, schema: task, meaning: 'The task.' },
    run: ({ control, params, body: { rate, until, reason }, request }) =>
      control.drain({ ...params, rate, until, reason: REASON_CODES[reason] }, request.by),
  }),
  route({
    method: 'POST',
    path: '/backends/{backend}/rebalance',
    level: 'operator',
    summary: 'Asks those to leave that a server has beyond its share, at a pace.',
    body: rebalanceBody,
    answers: { status: 202, schema: task, meaning: 'The task.' },
    run: ({ control, params, body: { rate, threshold, reason }, request }) =>
      control.rebalance({ ...params, rate, threshold, reason: REASON_CODES[reason] }, request.by),
  }),
];
