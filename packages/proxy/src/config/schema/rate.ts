import { z } from 'zod';
import type { PaceConfig, SourceLimits } from '../resolved.ts';
import { readRate, writeDuration } from '../units.ts';
import { duration, integer, keyDoc, type Meaning, scalar } from './values.ts';

/** How many clients may wait for `connect_rate`, and how long, where nothing else is written. */
const QUEUE = 20_000;
const QUEUE_TIMEOUT_MS = 30_000;
const MOST = 10_000_000;

/** A number of things a second, from `500/s`, `30000/m` or `100/h`. */
export function rate(meaning: Meaning): z.ZodType<number> {
  return scalar('rate', meaning, readRate);
}

const LIMIT = 'CONNECTs that are let through a second, evenly, in the order in which they came.';

function paceMapping(limit: z.ZodType<number>, queue: number, queueTimeoutMs: number): z.ZodType<PaceConfig> {
  return z
    .strictObject({
      limit,
      queue: integer('How many clients may wait; those beyond are refused at once.', 0, MOST).prefault(queue),
      queue_timeout: duration('How long one may wait before it is refused.').prefault(writeDuration(queueTimeoutMs)),
    })
    .transform(keys => ({ limit: keys.limit, queue: keys.queue, queueTimeoutMs: keys.queue_timeout }));
}

const paceKeys = paceMapping(rate(LIMIT), QUEUE, QUEUE_TIMEOUT_MS);

/** `connect_rate` of a frontend or a backend. */
export function pace(whose: string): z.ZodType<PaceConfig> {
  const meaning = {
    meaning:
      `The pace at which CONNECTs are let through to ${whose}, of all workers together: \`500/s\`, or a mapping. ` +
      'Clients beyond it wait; who cannot wait, or waits too long, is refused with a CONNACK that says so. ' +
      '`mode: mqtt` only.',
    standard: 'no limit',
  };
  const queue = { queue: QUEUE, queueTimeoutMs: QUEUE_TIMEOUT_MS };
  const short = rate(meaning).transform((limit): PaceConfig => ({ limit, ...queue }));
  return z.union([short, paceKeys]).meta(keyDoc('rate, or a mapping', meaning));
}

/** `connect_rate` of `global.vip`: it holds where nothing is written, too. */
export const TAKEOVER_PACE: PaceConfig = { limit: 2000, queue: 100_000, queueTimeoutMs: 60_000 };

/** The same key where it has a standard; `false`: none. */
export function takeoverPace(meaning: string): z.ZodType<PaceConfig | null> {
  const { limit, queue, queueTimeoutMs } = TAKEOVER_PACE;
  const doc = {
    meaning,
    standard: `\`{ limit: ${limit}/s, queue: ${queue}, queue_timeout: ${writeDuration(queueTimeoutMs)} }\``,
  };
  const short = scalar<PaceConfig | null>('rate', doc, input => {
    if (input === false || input === 'false') return { ok: true, value: null };
    const read = readRate(input);
    return read.ok ? { ok: true, value: { ...TAKEOVER_PACE, limit: read.value } } : read;
  });
  const mapping = paceMapping(rate(LIMIT).prefault(`${limit}/s`), queue, queueTimeoutMs);
  return z.union([short, mapping]).meta(keyDoc('rate, a mapping, or `false`', doc));
}

const unlimited = (meaning: string): Meaning => ({ meaning, standard: 'no limit' });

/** `source` of a frontend. */
export const sourceSchema: z.ZodType<SourceLimits> = z
  .strictObject({
    maxconn: integer(unlimited('Connections of one address at a time.'), 1, MOST).optional(),
    conn_rate: rate(unlimited('New connections of one address.')).optional(),
    connect_rate: rate(unlimited('CONNECTs of one address. `mode: mqtt` only.')).optional(),
  })
  .transform(({ maxconn, conn_rate, connect_rate }) => ({
    maxconn: maxconn ?? null,
    connRate: conn_rate ?? null,
    connectRate: connect_rate ?? null,
  }))
  .meta(keyDoc('mapping', 'Limits of one source address; of IPv6, of one /64. Connections beyond them are closed.'));
