import type { StickEntry } from '@limpet/state';
import { z } from 'zod';
import type { ConnectError, SessionFacts } from '../../account/session_facts.ts';
import type { ClientFacts, ImportReport } from '../control.ts';
import { count, type Fields, maybe, whenMs } from './scope_schema.ts';
import type { Snake } from './snake.ts';

const sessionFields: Fields<SessionFacts> = {
  worker: z.string(),
  id: count,
  frontend: z.string(),
  bind: z.string(),
  client: z.string().meta({ description: '`address:port`.' }),
  client_id: maybe(z.string(), 'As the client sent it, or as the broker assigned it; null before its CONNECT.'),
  username: maybe(z.string(), 'Null where `log.usernames` is off.'),
  version: maybe(z.enum(['3.1', '3.1.1', '5.0']), 'Null before its CONNECT, and in mode tcp.'),
  tls: maybe(z.string(), 'Null: none.'),
  websocket: z.boolean(),
  stage: z.enum(['preread', 'queue', 'dial', 'relay']),
  backend: maybe(z.string(), 'Null: not yet.'),
  server: maybe(z.string(), 'Null: not yet.'),
  how: maybe(z.enum(['sticky', 'new', 'moved', 'none']), 'Why it is on that server; `none`: it has no stick entry.'),
  retries: count,
  accepted_at_ms: whenMs,
  linked_at_ms: maybe(whenMs, 'When the broker had accepted it.'),
  bytes_in: count,
  bytes_out: count,
  keep_alive_s: maybe(count, 'Null: none is known.'),
};

export const session: z.ZodType<Snake<SessionFacts>> = z.strictObject(sessionFields);

const entryFields: Fields<StickEntry> = {
  key: z.string(),
  server: z.string(),
  state: z.enum(['pending', 'pinned', 'cooling']),
  ttl_ms: maybe(z.number(), 'What is left; null while its client is connected.'),
  owner: z.string().meta({ description: 'The worker that wrote it.' }),
  epoch: count.meta({ description: 'That worker’s number of the session.' }),
};

export const entry: z.ZodType<Snake<StickEntry>> = z.strictObject(entryFields);

const clientFields: Fields<ClientFacts> = {
  client_id: z.string(),
  sessions: z.array(session),
  entries: z.array(z.strictObject({ ...entryFields, backend: z.string() })),
};

export const client: z.ZodType<Snake<ClientFacts>> = z.strictObject(clientFields);

const errorFields: Fields<ConnectError> = {
  at_ms: whenMs,
  worker: z.string(),
  session: count,
  frontend: z.string(),
  bind: z.string(),
  client: z.string(),
  reason: z.string(),
  detail: z.string(),
  length: count.meta({ description: 'Bytes that had come.' }),
  head: z.string().meta({ description: 'The first of them in hex: nothing behind the keep-alive.' }),
};

export const connectError: z.ZodType<Snake<ConnectError>> = z.strictObject(errorFields);

const importFields: Fields<ImportReport> = {
  read: count,
  written: count,
  kept: count.meta({ description: 'Entries of live sessions: never overwritten.' }),
  errors: z.array(z.string()).meta({ description: '`line N: what is wrong`, the first 100.' }),
};

export const importReport: z.ZodType<Snake<ImportReport>> = z.strictObject(importFields);
