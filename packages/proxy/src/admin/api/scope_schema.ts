import { z } from 'zod';
import type { Histogram } from '../../account/counters.ts';
import { LATENCY_BOUNDS_MS } from '../../account/counters.ts';
import type { ScopeFacts } from '../snapshot.ts';
import type { Snake } from './snake.ts';

/** Fields of a JSON object, each checked against the contract that it is made from. */
export type Fields<T> = { readonly [Key in keyof Snake<T>]: z.ZodType<Snake<T>[Key]> };

export const count: z.ZodNumber = z.int().min(0);
export const whenMs: z.ZodNumber = z.number().meta({ description: 'Unix time in milliseconds.' });
export const maybe = <T>(schema: z.ZodType<T>, description: string): z.ZodNullable<z.ZodType<T>> =>
  schema.nullable().meta({ description });

/** What every scope has: frontend, bind, backend, server, worker, and the whole proxy. */
export const scopeFields: Fields<ScopeFacts> = {
  sessions: count.meta({ description: 'Sessions now.' }),
  sessions_max: count.meta({ description: 'The most sessions there ever were at once.' }),
  rate: z.number().meta({ description: 'New sessions (a frontend: connections) in the last second.' }),
  rate_max: z.number().meta({ description: 'The most of these in any second.' }),
  counts: z.record(z.string(), z.number()).meta({
    description:
      'What was counted since the start: name → number. A name may have a label: `connect:5.0`, `refused:bad_connect`, `connack:5:135`, `end:client_closed`. What never happened is absent.',
  }),
};

export const histogram: z.ZodType<Snake<Histogram>> = z
  .strictObject({
    buckets: z.array(count).meta({
      description: `How many took up to ${LATENCY_BOUNDS_MS.join(', ')} ms, and longer; not cumulative.`,
    }),
    sum_ms: z.number(),
    count,
  })
  .meta({ description: 'A latency in milliseconds.' });
