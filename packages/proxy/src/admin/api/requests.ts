import { z } from 'zod';
import type { EntryFilter, NewServer } from '../control.ts';
import { adminState } from './server_schema.ts';

/** What bodies and queries may say. Bodies are strict JSON; a query's numbers are text that is read. */

/** What one answer holds is made in one turn of the event loop. */
const MOST_LISTED = 1_000;
const PAGE = 100;

const written = z.string().min(1);
/** A number of a query. Nothing is no zero, and neither `1e3` nor `0x10` is one. */
const digits = (text: unknown): unknown => (typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : text);
const limit = z
  .preprocess(digits, z.int().min(1).max(MOST_LISTED))
  .default(PAGE)
  .meta({ description: 'At most so many.', default: PAGE });
const wholeNumber = z.preprocess(digits, z.int().min(0));
const rate = z.number().positive().max(1_000_000).meta({ description: 'Sessions a second.' });
const maxconn = z.int().min(1).nullable().meta({ description: 'Null: no limit.' });
const leaveReason = z
  .enum(['use_another_server', 'administrative_action'])
  .default('use_another_server')
  .meta({ description: 'What MQTT 5.0 clients are told: 0x9C or 0x98.' });

type LeaveReason = 'use_another_server' | 'administrative_action';

export const REASON_CODES: Readonly<Record<LeaveReason, 0x9c | 0x98>> = {
  use_another_server: 0x9c,
  administrative_action: 0x98,
};

interface FilterQuery {
  readonly server?: string | undefined;
  readonly state?: 'pending' | 'pinned' | 'cooling' | undefined;
  readonly ttl_ms_below?: number | undefined;
  readonly ttl_ms_above?: number | undefined;
  readonly key_contains?: string | undefined;
}

const filterFields = {
  server: written.optional(),
  state: z.enum(['pending', 'pinned', 'cooling']).optional(),
  ttl_ms_below: wholeNumber.optional().meta({ description: 'What is left, in milliseconds, inclusive.' }),
  ttl_ms_above: wholeNumber.optional(),
  key_contains: written.optional().meta({ description: 'A part of the key.' }),
};

/** `?server=…&state=…` as the table understands it. */
export function entryFilter(query: FilterQuery): EntryFilter {
  return {
    ...(query.server === undefined ? {} : { server: query.server }),
    ...(query.state === undefined ? {} : { state: query.state }),
    ...(query.ttl_ms_below === undefined ? {} : { ttlMsBelow: query.ttl_ms_below }),
    ...(query.ttl_ms_above === undefined ? {} : { ttlMsAbove: query.ttl_ms_above }),
    ...(query.key_contains === undefined ? {} : { keyContains: query.key_contains }),
  };
}

export const filterQuery: z.ZodType<FilterQuery> = z.strictObject(filterFields);

export const pageQuery: z.ZodType<FilterQuery & { readonly cursor?: string | undefined; readonly limit: number }> =
  z.strictObject({
    ...filterFields,
    cursor: written.optional().meta({ description: '`next` of the page before.' }),
    limit,
  });

const format = z.enum(['json', 'csv']).default('json');
const formatMeaning = { description: '`json` is one object a line (NDJSON).' };

export const exportQuery: z.ZodType<FilterQuery & { readonly format: 'json' | 'csv' }> = z.strictObject({
  ...filterFields,
  format: format.meta(formatMeaning),
});

export const importQuery: z.ZodType<{ readonly format: 'json' | 'csv' }> = z.strictObject({
  format: format.meta(formatMeaning),
});

export const eventsQuery: z.ZodType<{ readonly after: number }> = z.strictObject({
  after: wholeNumber.default(0).meta({ description: 'Only events with a higher id.', default: 0 }),
});

interface ClientsQuery {
  readonly worker?: string | undefined;
  readonly id?: number | undefined;
  readonly client_id?: string | undefined;
  readonly frontend?: string | undefined;
  readonly backend?: string | undefined;
  readonly server?: string | undefined;
  readonly source?: string | undefined;
  readonly limit: number;
}

export const clientsQuery: z.ZodType<ClientsQuery> = z.strictObject({
  worker: written.optional(),
  id: wholeNumber.optional().meta({ description: 'The worker’s number of the session.' }),
  client_id: z.string().optional(),
  frontend: written.optional(),
  backend: written.optional(),
  server: written.optional(),
  source: written.optional().meta({ description: 'The client’s address.' }),
  limit,
});

export const stateBody: z.ZodType<{ readonly state: z.infer<typeof adminState> }> = z.strictObject({
  state: adminState,
});

export const weightBody: z.ZodType<{ readonly weight: number | null }> = z.strictObject({
  weight: z.int().min(0).max(256).nullable().meta({ description: 'Null: as configured.' }),
});

export const addressBody: z.ZodType<{ readonly host: string; readonly port: number | null }> = z.strictObject({
  host: written.max(253),
  port: z.int().min(1).max(65_535).nullable().default(null).meta({ description: 'Null: as it is.' }),
});

export const maxconnBody: z.ZodType<{ readonly maxconn: number | null }> = z.strictObject({ maxconn });

export const globalMaxconnBody: z.ZodType<{ readonly maxconn: number }> = z.strictObject({ maxconn: z.int().min(1) });

export const healthBody: z.ZodType<{ readonly health: 'up' | 'down' }> = z.strictObject({
  health: z.enum(['up', 'down']).meta({ description: 'Holds until the next check says otherwise.' }),
});

export const enabledBody: z.ZodType<{ readonly enabled: boolean }> = z.strictObject({ enabled: z.boolean() });

export const connRateBody: z.ZodType<{ readonly conn_rate: number | null }> = z.strictObject({
  conn_rate: z.number().positive().nullable().meta({ description: 'A second; null: no limit.' }),
});

interface AddBody {
  readonly name: string;
  readonly address: string;
  readonly weight?: number | undefined;
  readonly maxconn?: number | undefined;
  readonly backup?: boolean | undefined;
  readonly check?: boolean | undefined;
}

export const addBody: z.ZodType<AddBody> = z.strictObject({
  name: written.max(128),
  address: written.meta({ description: '`host:port`.' }),
  weight: z.int().min(0).max(256).optional(),
  maxconn: z.int().min(1).optional(),
  backup: z.boolean().optional(),
  check: z.boolean().optional().meta({ description: 'Left out: as the first server of the backend.' }),
});

export function newServer({ address, weight, maxconn: most, backup, check }: AddBody): NewServer {
  return {
    address,
    ...(weight === undefined ? {} : { weight }),
    ...(most === undefined ? {} : { maxconn: most }),
    ...(backup === undefined ? {} : { backup }),
    ...(check === undefined ? {} : { check }),
  };
}

interface DrainBody {
  readonly rate: number | null;
  readonly until: number;
  readonly reason: LeaveReason;
}

export const drainBody: z.ZodType<DrainBody> = z.strictObject({
  rate: rate.nullable().default(null).meta({ description: 'Sessions a second; null: none is asked to leave.' }),
  until: z.int().min(0).default(0).meta({ description: 'Stops when so many sessions are left.' }),
  reason: leaveReason,
});

interface RebalanceBody {
  readonly rate: number;
  readonly threshold: number;
  readonly reason: LeaveReason;
}

export const rebalanceBody: z.ZodType<RebalanceBody> = z.strictObject({
  rate,
  threshold: z.number().min(0).max(10).default(0.05).meta({ description: 'So much more than its share: 0.05 is 5 %.' }),
  reason: leaveReason,
});

export const entryBody: z.ZodType<{ readonly server: string }> = z.strictObject({ server: written });
