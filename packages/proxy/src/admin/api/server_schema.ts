import { z } from 'zod';
import type { BackendFacts, ServerFacts, StickFacts } from '../snapshot.ts';
import { count, type Fields, histogram, maybe, scopeFields, whenMs } from './scope_schema.ts';
import type { Snake } from './snake.ts';

/** A server, with its backend's name: the list of all servers needs it. */
export type ServerAnswer = ServerFacts & { readonly backend: string };

export const adminState: z.ZodEnum<{ ready: 'ready'; drain: 'drain'; drain_new: 'drain_new'; maint: 'maint' }> = z
  .enum(['ready', 'drain', 'drain_new', 'maint'])
  .meta({
    description:
      '`ready`: as the checks say. `drain`: no new clients, and returning ones are moved. `drain_new`: no new clients, returning ones still (HAProxy’s drain). `maint`: nobody, and its sessions are ended.',
  });

const checkFields: Fields<NonNullable<ServerFacts['lastCheck']>> = {
  status: z.enum(['L4OK', 'L4TOUT', 'L4CON', 'L6OK', 'L6TOUT', 'L6RSP', 'L7OK', 'L7TOUT', 'L7RSP', 'L7STS']),
  code: maybe(count, 'HTTP status or CONNACK code.'),
  duration_ms: z.number(),
  at_ms: whenMs,
  info: z.string(),
};

const serverFields: Fields<ServerAnswer> = {
  backend: z.string(),
  ...scopeFields,
  name: z.string(),
  host: z.string().meta({ description: 'As configured.' }),
  address: maybe(z.string(), 'As resolved; null: it does not resolve.'),
  port: count,
  admin: adminState,
  verdict: z.enum(['up', 'down', 'no_check']),
  suspect: z.boolean().meta({ description: 'It has just kept somebody waiting: others are tried first.' }),
  reason: z.string(),
  since_ms: whenMs,
  downtime_ms: z.number(),
  checks_enabled: z.boolean(),
  last_check: maybe(z.strictObject(checkFields), 'Null: none yet.'),
  weight: z.number(),
  weight_configured: z.number(),
  backup: z.boolean(),
  maxconn: maybe(count, 'Null: no limit.'),
  conns: count.meta({ description: 'Sessions counted to it, those being dialled too.' }),
  connect: histogram,
  connack: histogram,
  history: z.array(z.strictObject({ at_ms: whenMs, state: z.string(), reason: z.string() })),
  dynamic: z.boolean().meta({ description: 'Added at run time: not in the file.' }),
};

export const server: z.ZodType<Snake<ServerAnswer>> = z.strictObject(serverFields);

const stickFields: Fields<StickFacts> = {
  field: z.string(),
  size: count,
  expire_ms: z.number(),
  shared: z.boolean().meta({
    description: 'The table is in Redis: `size` is no limit of it, but of what this proxy remembers of it.',
  }),
  used: count.meta({ description: 'Entries; of a shared table those that this proxy has seen lately.' }),
};

/** A backend: its servers say which backend they are of, as in the list of all. */
export type BackendAnswer = Omit<BackendFacts, 'servers'> & { readonly servers: readonly ServerAnswer[] };

const backendFields: Fields<BackendAnswer> = {
  ...scopeFields,
  name: z.string(),
  mode: z.enum(['mqtt', 'tcp']),
  balance: z.string(),
  connect: histogram,
  connack: histogram,
  stick: maybe(z.strictObject(stickFields), 'Null: `stick: false`.'),
  servers: z.array(server),
};

export const backend: z.ZodType<Snake<BackendAnswer>> = z.strictObject(backendFields);
