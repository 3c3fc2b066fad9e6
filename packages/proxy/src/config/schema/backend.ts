import { z } from 'zod';
import { readServer, type ServerAddress } from '../address.ts';
import type { Algorithm, PaceConfig, SendProxyConfig } from '../resolved.ts';
import { checkSchema, type RawCheck } from './check.ts';
import { pace } from './rate.ts';
import { sendProxySchema } from './send_proxy.ts';
import { sourceAddresses } from './source_address.ts';
import { type RawStick, stickSchema } from './stick.ts';
import { backendRetries, backendTimeout, type RawBackendTimeout } from './timeouts.ts';
import { type RawServerTls, serverTlsSchema } from './tls.ts';
import { choice, duration, flag, integer, keyDoc, nameSchema, scalar } from './values.ts';
import { serverWebSocketSchema } from './websocket.ts';

export interface RawServer {
  readonly address: ServerAddress;
  readonly weight: number;
  readonly backup: boolean;
  readonly maxconn?: number | undefined;
  readonly source?: readonly string[] | false | undefined;
  readonly slowstart?: number | undefined;
  readonly send_proxy?: SendProxyConfig | null | undefined;
  readonly check?: RawCheck | false | undefined;
  readonly tls?: RawServerTls | false | undefined;
  readonly websocket?: { readonly path: string } | false | undefined;
}

export interface RawBackend {
  readonly balance: Algorithm;
  readonly stick: RawStick | false;
  readonly check: RawCheck | false;
  readonly send_proxy: SendProxyConfig | null;
  readonly source: readonly string[] | false;
  readonly retries?: number | undefined;
  readonly timeout: RawBackendTimeout;
  readonly on_marked_down: 'shutdown_sessions' | 'keep';
  readonly slowstart: number;
  readonly connect_rate?: PaceConfig | undefined;
  readonly servers: Readonly<Record<string, RawServer>>;
}

const ALGORITHMS: readonly Algorithm[] = ['roundrobin', 'leastconn', 'source', 'random', 'hash', 'first'];
const SLOWSTART = 'How long a server takes from its recovery to its full weight.';
const ADDRESS =
  'Host name, IPv4 address, or IPv6 address in brackets. A port that is left out is 1883; not in `mode: tcp`, nor with ' +
  '`websocket`.';
const CHECK = 'How it is found out whether a server is alive.';

const serverKeys: z.ZodType<RawServer> = z.strictObject({
  address: scalar('host:port', ADDRESS, readServer),
  weight: integer('Its share of new clients. 0: none but those that return to it.', 0, 256).prefault(1),
  backup: flag('Used only while no other server is.').prefault(false),
  maxconn: integer(
    { meaning: 'Connections at most; a full server is passed over.', standard: 'no limit' },
    1,
    10_000_000,
  ).optional(),
  slowstart: duration({ meaning: SLOWSTART, standard: "the backend's" }, 0).optional(),
  send_proxy: sendProxySchema("the backend's").optional(),
  source: sourceAddresses("the backend's").optional(),
  check: checkSchema({
    type: 'mapping, or `false`',
    meaning: 'Keys that differ from those of the check of the backend; `false`: no check.',
    standard: "the backend's",
  }).optional(),
  tls: serverTlsSchema.optional(),
  websocket: serverWebSocketSchema.optional(),
});

const serverSchema: z.ZodType<RawServer> = z
  .union([scalar('host:port', ADDRESS, readServer).transform(address => serverKeys.parse(asText(address))), serverKeys])
  .meta(keyDoc('host:port, or a mapping', 'A broker.'));

function asText({ host, port }: ServerAddress): { address: string } {
  const name = host.includes(':') ? `[${host}]` : host;
  return { address: port === null ? name : `${name}:${port}` };
}

export const backendSchema: z.ZodType<RawBackend> = z
  .strictObject({
    balance: choice(
      'Who is next, for a client that is not remembered. `roundrobin`: in turn, by weight. `leastconn`: the one with the ' +
        'fewest connections for its weight. `source`: by the address of the client. `random`: the better of two draws. ' +
        '`hash`: by the stick key, the same on every proxy. `first`: the first that is not full.',
      ALGORITHMS,
    ).prefault('roundrobin'),
    stick: stickSchema.prefault({}),
    check: checkSchema({ type: 'mapping, or `false`', meaning: CHECK, standard: 'on' }).prefault({}),
    send_proxy: sendProxySchema('`none`').prefault('none'),
    source: sourceAddresses('`false`').prefault(false),
    retries: backendRetries.optional(),
    timeout: backendTimeout.prefault({}),
    on_marked_down: choice(
      'What happens to the clients of a server that goes DOWN. `shutdown_sessions`: they are closed, and go to another ' +
        'server when they return. `keep`: they stay as long as they can.',
      ['shutdown_sessions', 'keep'],
    ).prefault('shutdown_sessions'),
    slowstart: duration(SLOWSTART, 0).prefault(0),
    connect_rate: pace('its servers').optional(),
    servers: z
      .record(nameSchema, serverSchema)
      .meta(keyDoc('mapping of name to server', 'The brokers. Their order counts for `first` and for ties.')),
  })
  .meta(keyDoc('mapping', 'A cluster of brokers.'));
