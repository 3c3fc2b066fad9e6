import { z } from 'zod';
import { LimpetError } from '../../errors.ts';
import type { By, Control } from '../control.ts';
import type { TaskFacts } from '../snapshot.ts';
import { findFrontend } from './find.ts';
import { openApi } from './openapi.ts';
import { frontend, info, reloadReport, task } from './proxy_schema.ts';
import { connRateBody, enabledBody, globalMaxconnBody, maxconnBody } from './requests.ts';
import { type Route, route, Verbatim } from './route.ts';
import { ok } from './routes_look.ts';

type TaskOrder = (control: Control, id: number, by: By) => Promise<TaskFacts>;

const ORDERS: readonly (readonly [verb: string, summary: string, order: TaskOrder])[] = [
  ['pause', 'Asks nobody more to leave for now.', (control, id, by) => control.pauseTask(id, by)],
  ['resume', 'Goes on with a paused task.', (control, id, by) => control.resumeTask(id, by)],
  ['cancel', 'Takes a task back; a drained server becomes ready.', (control, id, by) => control.cancelTask(id, by)],
];

function taskRoute([verb, summary, order]: (typeof ORDERS)[number]): Route {
  return route({
    method: 'POST',
    path: `/tasks/{task}/${verb}`,
    level: 'operator',
    summary,
    answers: ok(task, 'The task as it is now.'),
    run: ({ control, params, request }) => order(control, taskId(String(Object.values(params)[0])), request.by),
  });
}

function taskId(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new LimpetError(
    'UNKNOWN_TASK',
    `${JSON.stringify(text)} is no task’s number`,
    'GET /api/v1/tasks lists the tasks.',
  );
}

/** What changes the proxy as a whole, and its frontends. */
export const PROXY_ROUTES: readonly Route[] = [
  ...ORDERS.map(taskRoute),
  route({
    method: 'PUT',
    path: '/frontends/{frontend}/enabled',
    level: 'admin',
    summary: 'Releases a frontend’s binds, or takes them again.',
    body: enabledBody,
    answers: ok(frontend, 'The frontend as it is now.'),
    run: async ({ control, params, body, request }) => {
      await control.setFrontendEnabled(params.frontend, body.enabled, request.by);
      return findFrontend(control, params.frontend);
    },
  }),
  route({
    method: 'PUT',
    path: '/frontends/{frontend}/maxconn',
    level: 'admin',
    summary: 'Changes a frontend’s limit of connections.',
    body: maxconnBody,
    answers: ok(frontend, 'The frontend as it is now.'),
    run: async ({ control, params, body, request }) => {
      await control.setFrontendMaxconn(params.frontend, body.maxconn, request.by);
      return findFrontend(control, params.frontend);
    },
  }),
  route({
    method: 'PUT',
    path: '/frontends/{frontend}/conn_rate',
    level: 'admin',
    summary: 'Changes how many new connections a second a frontend takes.',
    body: connRateBody,
    answers: ok(frontend, 'The frontend as it is now.'),
    run: async ({ control, params, body, request }) => {
      await control.setFrontendConnRate(params.frontend, body.conn_rate, request.by);
      return findFrontend(control, params.frontend);
    },
  }),
  route({
    method: 'PUT',
    path: '/info/maxconn',
    level: 'admin',
    summary: 'Changes `global.maxconn`.',
    body: globalMaxconnBody,
    answers: ok(info, 'The proxy as it is now.'),
    run: async ({ control, body, request }) => {
      await control.setGlobalMaxconn(body.maxconn, request.by);
      const { atMs, info: facts } = control.snapshot();
      return { atMs, ...facts };
    },
  }),
  route({
    method: 'POST',
    path: '/reload',
    level: 'admin',
    summary: 'Reads the configuration again. A bad file changes nothing, and the report says why.',
    answers: ok(reloadReport, 'What it did; `ok: false`: nothing.'),
    run: ({ control, request }) => control.reload(request.by),
  }),
  route({
    method: 'GET',
    path: '/openapi.json',
    level: 'user',
    summary: 'This description.',
    answers: ok(z.record(z.string(), z.unknown()), 'OpenAPI 3.1.'),
    run: ({ routes }) => new Verbatim(openApi(routes)),
  }),
];
