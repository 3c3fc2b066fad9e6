import { z } from 'zod';
import type { SessionFilter } from '../../account/session_facts.ts';
import { LimpetError } from '../../errors.ts';
import { client, connectError, entry, importReport, session } from './client_schema.ts';
import { clientsQuery, entryBody, entryFilter, exportQuery, filterQuery, importQuery, pageQuery } from './requests.ts';
import { type Route, route, Streamed } from './route.ts';
import { ok } from './routes_look.ts';
import { done } from './routes_servers.ts';
import { count } from './scope_schema.ts';

const NDJSON = 'application/x-ndjson';
const CSV = 'text/csv; charset=utf-8';

function sessionFilter(query: z.infer<typeof clientsQuery>): SessionFilter {
  const { client_id: clientId, limit: _, ...rest } = query;
  const said = Object.entries({ ...rest, clientId }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(said);
}

function noEntry(key: string): LimpetError {
  return new LimpetError('NO_ENTRY', `the table has no entry of ${JSON.stringify(key)}`, 'Keys are case-sensitive.');
}

const CLIENT_ROUTES: readonly Route[] = [
  route({
    method: 'GET',
    path: '/clients',
    level: 'operator',
    summary: 'Live sessions, in no order. Every filter that is given must hold.',
    query: clientsQuery,
    answers: ok(z.strictObject({ sessions: z.array(session) }), 'Sessions, at most `limit`.'),
    run: async ({ control, query }) => ({ sessions: await control.sessions(sessionFilter(query), query.limit) }),
  }),
  route({
    method: 'GET',
    path: '/clients/{client_id}',
    level: 'operator',
    summary: 'Where a client is, since when and why. One that nobody knows has no sessions and no entries.',
    answers: ok(client, 'Its live sessions and its stick entries.'),
    run: ({ control, params }) => control.client(params.client_id),
  }),
  route({
    method: 'DELETE',
    path: '/clients/{client_id}',
    level: 'admin',
    summary: 'Ends all sessions of a client.',
    answers: ok(z.strictObject({ ended: count }), 'How many were ended.'),
    run: async ({ control, params, request }) => ({
      ended: await control.endSessions({ clientId: params.client_id }, request.by),
    }),
  }),
  route({
    method: 'GET',
    path: '/errors',
    level: 'operator',
    summary: 'The last malformed CONNECTs.',
    answers: ok(z.strictObject({ errors: z.array(connectError) }), 'The last malformed CONNECTs.'),
    run: ({ control }) => ({ errors: control.errors() }),
  }),
];

const TABLE_ROUTES: readonly Route[] = [
  route({
    method: 'GET',
    path: '/table',
    level: 'operator',
    summary: 'The backends that have a stick table.',
    answers: ok(z.strictObject({ tables: z.array(z.strictObject({ backend: z.string(), used: count })) }), 'Tables.'),
    run: async ({ control }) => {
      const { table } = control;
      const used = table.names.map(async backend => ({ backend, used: await table.used(backend) }));
      return { tables: await Promise.all(used) };
    },
  }),
  route({
    method: 'GET',
    path: '/table/{backend}',
    level: 'operator',
    summary: 'A page of a stick table, in no order.',
    query: pageQuery,
    answers: ok(
      z.strictObject({
        entries: z.array(entry),
        next: z.string().nullable().meta({ description: 'The `cursor` of the next page; null: this was the last.' }),
      }),
      'Entries.',
    ),
    run: ({ control, params, query: { cursor, limit, ...filter } }) =>
      control.table.page(params.backend, entryFilter(filter), cursor ?? null, limit),
  }),
  route({
    method: 'DELETE',
    path: '/table/{backend}',
    level: 'admin',
    summary: 'Removes the entries that match; without a filter all. Those of live sessions come back.',
    query: filterQuery,
    answers: ok(z.strictObject({ removed: count }), 'How many were removed.'),
    run: async ({ control, params, query }) => ({
      removed: await control.table.clear(params.backend, entryFilter(query)),
    }),
  }),
  route({
    method: 'GET',
    path: '/table/{backend}/export',
    level: 'operator',
    summary: 'A whole stick table as a stream.',
    query: exportQuery,
    answers: { types: [NDJSON, CSV], meaning: 'One entry a line.' },
    run: ({ control, params, query: { format, ...filter } }) =>
      new Streamed(format === 'csv' ? CSV : NDJSON, control.table.walk(params.backend, format, entryFilter(filter))),
  }),
  route({
    method: 'POST',
    path: '/table/{backend}/import',
    level: 'admin',
    summary: 'Writes entries as they were exported. Bad lines are reported and left out.',
    query: importQuery,
    bodyTypes: [NDJSON, 'text/csv'],
    answers: ok(importReport, 'What was done.'),
    run: ({ control, params, query, request }) => control.table.import(params.backend, query.format, request.body),
  }),
  route({
    method: 'GET',
    path: '/table/{backend}/{key}',
    level: 'operator',
    summary: 'One stick entry. A key named `export` is found by `?key_contains` only.',
    answers: ok(entry, 'The entry.'),
    run: async ({ control, params }) => {
      const found = await control.table.get(params.backend, params.key);
      if (found === null) throw noEntry(params.key);
      return found;
    },
  }),
  route({
    method: 'PUT',
    path: '/table/{backend}/{key}',
    level: 'admin',
    summary: 'Pins a key’s home by hand; it cools as if its client had just left.',
    body: entryBody,
    answers: ok(done, 'It is written.'),
    run: async ({ control, params, body }) => {
      await control.table.set(params.backend, params.key, body.server);
      return { done: true };
    },
  }),
  route({
    method: 'DELETE',
    path: '/table/{backend}/{key}',
    level: 'admin',
    summary: 'Removes one entry.',
    answers: ok(done, 'It is gone.'),
    run: async ({ control, params }) => {
      if (!(await control.table.clearKey(params.backend, params.key))) throw noEntry(params.key);
      return { done: true };
    },
  }),
];

/** What concerns single clients: their sessions and their stick entries. */
export const CLIENT_AND_TABLE_ROUTES: readonly Route[] = [...CLIENT_ROUTES, ...TABLE_ROUTES];
