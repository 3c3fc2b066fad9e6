import { z } from 'zod';
import type { Mode, PaceConfig, SourceLimits } from '../resolved.ts';
import { networks } from './access.ts';
import { bindSchema, type RawBind } from './bind.ts';
import { pace, rate, sourceSchema } from './rate.ts';
import { type RawRoute, routesSchema, sniRoutesSchema } from './routes.ts';
import { frontendMaxConnectSize, frontendTimeout, type RawFrontendTimeout } from './timeouts.ts';
import { choice, integer, keyDoc, NAME, text } from './values.ts';

export interface RawFrontend {
  readonly mode: Mode;
  readonly bind: readonly RawBind[];
  readonly default_backend: string;
  readonly routes?: readonly RawRoute[] | undefined;
  readonly sni_routes?: Readonly<Record<string, string>> | undefined;
  readonly allow?: readonly string[] | undefined;
  readonly deny?: readonly string[] | undefined;
  readonly maxconn?: number | undefined;
  readonly conn_rate?: number | undefined;
  readonly source: SourceLimits;
  readonly connect_rate?: PaceConfig | undefined;
  readonly timeout: RawFrontendTimeout;
  readonly max_connect_size?: number | undefined;
}

export const frontendSchema: z.ZodType<RawFrontend> = z
  .strictObject({
    mode: choice('What is spoken here. `tcp`: anything; clients are not known by what they say.', [
      'mqtt',
      'tcp',
    ]).prefault('mqtt'),
    bind: bindSchema,
    default_backend: text('The backend that serves its clients.', NAME, 'name of a backend'),
    routes: routesSchema.optional(),
    sni_routes: sniRoutesSchema.optional(),
    allow: networks({ meaning: 'Who may connect; everybody else is closed.', standard: 'everybody' }).optional(),
    deny: networks({ meaning: 'Who may not connect, also where `allow` has it.', standard: 'nobody' }).optional(),
    maxconn: integer(
      {
        meaning: 'Connections of all workers together; at the limit, accepting pauses, as at `global.maxconn`.',
        standard: 'no limit of its own',
      },
      1,
      10_000_000,
    ).optional(),
    conn_rate: rate({
      meaning: 'New connections of all workers together; those beyond wait in the backlog of the kernel.',
      standard: 'no limit',
    }).optional(),
    source: sourceSchema.prefault({}),
    connect_rate: pace('its backends').optional(),
    timeout: frontendTimeout.prefault({}),
    max_connect_size: frontendMaxConnectSize.optional(),
  })
  .meta(keyDoc('mapping', 'A place where clients connect.'));
