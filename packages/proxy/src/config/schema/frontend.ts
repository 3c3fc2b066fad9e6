import { z } from 'zod';
import { type HostAndPort, readBind } from '../address.ts';
import type { Reading } from '../units.ts';
import { frontendMaxConnectSize, frontendTimeout, type RawFrontendTimeout } from './timeouts.ts';
import { choice, keyDoc, NAME, scalar, text, type Written } from './values.ts';

interface RawBind {
  readonly label: string;
  readonly at: HostAndPort;
}

export interface RawFrontend {
  readonly mode: 'mqtt';
  readonly bind: readonly RawBind[];
  readonly default_backend: string;
  readonly timeout: RawFrontendTimeout;
  readonly max_connect_size?: number | undefined;
}

function readLabelled(input: Written): Reading<RawBind> {
  const reading = readBind(input);
  return reading.ok ? { ok: true, value: { label: String(input).trim(), at: reading.value } } : reading;
}

const address = (meaning: string): z.ZodType<RawBind> => scalar('address:port', meaning, readLabelled);

const BIND =
  'Where to listen. `*:1883` and `:1883` are all IPv4 addresses, `[::]:1883` and `:::1883` all addresses; port 0 is any ' +
  'free port.';

const oneBind = z.union([
  address(BIND),
  z.strictObject({ address: address('Where to listen, as above.') }).transform(bind => bind.address),
]);

const bind = z
  .union([oneBind.transform(one => [one]), z.array(oneBind).min(1)])
  .meta(keyDoc('address:port, a mapping, or a list of them', BIND));

export const frontendSchema: z.ZodType<RawFrontend> = z
  .strictObject({
    mode: choice('What is spoken here.', ['mqtt']).prefault('mqtt'),
    bind,
    default_backend: text('The backend that serves its clients.', NAME, 'name of a backend'),
    timeout: frontendTimeout.prefault({}),
    max_connect_size: frontendMaxConnectSize.optional(),
  })
  .meta(keyDoc('mapping', 'A place where clients connect.'));
