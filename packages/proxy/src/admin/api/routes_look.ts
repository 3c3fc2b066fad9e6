import { z } from 'zod';
import type { AdminLevel, Control } from '../control.ts';
import { backendAnswer, findBackend, findFrontend, findServer } from './find.ts';
import { event, frontend, history, info, peer, task, worker } from './proxy_schema.ts';
import { eventsQuery } from './requests.ts';
import { type Answers, type Route, route } from './route.ts';
import { backend, type ServerAnswer, server } from './server_schema.ts';

/** These say who did what, to which client, and who tried to get in. */
const NOT_FOR_USERS: ReadonlySet<string> = new Set(['admin', 'stats_auth_failed']);

/** Whether somebody of that level is told of such an event. */
export function isToldTo(level: AdminLevel, name: string): boolean {
  return level !== 'user' || !NOT_FOR_USERS.has(name);
}

export function ok(schema: z.ZodType, meaning: string): Answers {
  return { status: 200, schema, meaning };
}

/** Every server of every backend. */
function allServers(control: Control): readonly ServerAnswer[] {
  return control.snapshot().backends.flatMap(one => backendAnswer(one).servers);
}

/** What everybody may see: sums and states, nothing of a client. */
export const LOOK_ROUTES: readonly Route[] = [
  route({
    method: 'GET',
    path: '/info',
    level: 'user',
    summary: 'The proxy itself.',
    answers: ok(info, 'The proxy now.'),
    run: ({ control }) => {
      const { atMs, info: facts } = control.snapshot();
      return { atMs, ...facts };
    },
  }),
  route({
    method: 'GET',
    path: '/proxies',
    level: 'user',
    summary: 'All proxies that share the state, this one first.',
    answers: ok(z.strictObject({ proxies: z.array(peer) }), 'All proxies.'),
    run: ({ control }) => ({ proxies: control.snapshot().proxies }),
  }),
  route({
    method: 'GET',
    path: '/frontends',
    level: 'user',
    summary: 'All frontends and their binds.',
    answers: ok(z.strictObject({ frontends: z.array(frontend) }), 'All frontends.'),
    run: ({ control }) => ({ frontends: control.snapshot().frontends }),
  }),
  route({
    method: 'GET',
    path: '/frontends/{frontend}',
    level: 'user',
    summary: 'One frontend.',
    answers: ok(frontend, 'The frontend.'),
    run: ({ control, params }) => findFrontend(control, params.frontend),
  }),
  route({
    method: 'GET',
    path: '/backends',
    level: 'user',
    summary: 'All backends and their servers.',
    answers: ok(z.strictObject({ backends: z.array(backend) }), 'All backends.'),
    run: ({ control }) => ({ backends: control.snapshot().backends.map(backendAnswer) }),
  }),
  route({
    method: 'GET',
    path: '/backends/{backend}',
    level: 'user',
    summary: 'One backend and its servers.',
    answers: ok(backend, 'The backend.'),
    run: ({ control, params }) => findBackend(control, params.backend),
  }),
  route({
    method: 'GET',
    path: '/servers',
    level: 'user',
    summary: 'All servers of all backends.',
    answers: ok(z.strictObject({ servers: z.array(server) }), 'All servers.'),
    run: ({ control }) => ({ servers: allServers(control) }),
  }),
  route({
    method: 'GET',
    path: '/servers/{backend}/{server}',
    level: 'user',
    summary: 'One server.',
    answers: ok(server, 'The server.'),
    run: ({ control, params }) => findServer(control, params.backend, params.server),
  }),
  route({
    method: 'GET',
    path: '/tasks',
    level: 'user',
    summary: 'Drains and rebalances that run, are paused, or ended in the last hour.',
    answers: ok(z.strictObject({ tasks: z.array(task) }), 'All tasks.'),
    run: ({ control }) => ({ tasks: control.snapshot().tasks }),
  }),
  route({
    method: 'GET',
    path: '/workers',
    level: 'user',
    summary: 'The worker processes.',
    answers: ok(z.strictObject({ workers: z.array(worker) }), 'All workers.'),
    run: ({ control }) => ({ workers: control.snapshot().workers }),
  }),
  route({
    method: 'GET',
    path: '/history',
    level: 'user',
    summary: 'The last hour, a sample every 10 s.',
    answers: ok(history, 'The last hour.'),
    run: ({ control }) => control.history(),
  }),
  route({
    method: 'GET',
    path: '/events',
    level: 'user',
    summary: 'What happened, oldest first, at most the last 1,000. Who did what is told to operators only.',
    query: eventsQuery,
    answers: ok(z.strictObject({ events: z.array(event) }), 'Events.'),
    run: ({ control, query, request }) => ({
      events: control.events(query.after).filter(one => isToldTo(request.level, one.event)),
    }),
  }),
];
