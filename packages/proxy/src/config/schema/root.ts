import { z } from 'zod';
import { backendSchema, type RawBackend } from './backend.ts';
import { frontendSchema, type RawFrontend } from './frontend.ts';
import { globalSchema, type RawGlobal } from './global.ts';
import { type RawState, stateSchema } from './state.ts';
import { defaultsSchema, type RawDefaults } from './timeouts.ts';
import { keyDoc, nameSchema } from './values.ts';

/** A configuration as it is written, with the defaults that do not depend on anything else filled in. */
export interface RawConfig {
  readonly global: RawGlobal;
  readonly state: RawState;
  readonly defaults: RawDefaults;
  readonly frontends: Readonly<Record<string, RawFrontend>>;
  readonly backends: Readonly<Record<string, RawBackend>>;
}

export const rootSchema: z.ZodType<RawConfig> = z.strictObject({
  global: globalSchema.prefault({}),
  state: stateSchema.prefault({}),
  defaults: defaultsSchema.prefault({}),
  frontends: z.record(nameSchema, frontendSchema).meta(keyDoc('mapping of name to frontend', 'Where clients connect.')),
  backends: z.record(nameSchema, backendSchema).meta(keyDoc('mapping of name to backend', 'Where brokers are.')),
});
