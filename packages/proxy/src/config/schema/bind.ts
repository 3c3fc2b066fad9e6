import { z } from 'zod';
import { type HostAndPort, readBind } from '../address.ts';
import type { Reading } from '../units.ts';
import { networks } from './access.ts';
import { bindTlsSchema, type RawBindTls } from './tls.ts';
import { keyDoc, scalar, type Written } from './values.ts';
import { bindWebSocketSchema, type RawBindWebSocket } from './websocket.ts';

/** An address to listen on, and how it was written. */
export interface Labelled {
  readonly label: string;
  readonly at: HostAndPort;
}

export interface RawBind {
  readonly address: Labelled;
  readonly tls?: RawBindTls | undefined;
  readonly websocket?: RawBindWebSocket | false | undefined;
  readonly accept_proxy?: readonly string[] | undefined;
}

function readLabelled(input: Written): Reading<Labelled> {
  const reading = readBind(input);
  return reading.ok ? { ok: true, value: { label: String(input).trim(), at: reading.value } } : reading;
}

/** `*:1883`, `127.0.0.1:8888`. */
export function listenAddress(meaning: string): z.ZodType<Labelled> {
  return scalar('address:port', meaning, readLabelled);
}

const BIND =
  'Where to listen. `*:1883` and `:1883` are all IPv4 addresses, `[::]:1883` and `:::1883` all addresses; port 0 is any ' +
  'free port.';

const oneBind: z.ZodType<RawBind> = z.union([
  listenAddress(BIND).transform(only => ({ address: only })),
  z.strictObject({
    address: listenAddress('Where to listen, as above.'),
    tls: bindTlsSchema.optional(),
    websocket: bindWebSocketSchema.optional(),
    accept_proxy: networks({
      meaning:
        'Peers that stand in front of Limpet: they must begin with a PROXY header (version 1 or 2), and what it says ' +
        'of the client is believed. From others none is accepted.',
      standard: 'none',
    }).optional(),
  }),
]);

export const bindSchema: z.ZodType<readonly RawBind[]> = z
  .union([oneBind.transform(one => [one]), z.array(oneBind).min(1)])
  .meta(keyDoc('address:port, a mapping, or a list of them', BIND));
