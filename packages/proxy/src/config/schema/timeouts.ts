import { z } from 'zod';
import { duration, integer, keyDoc, type Meaning, size } from './values.ts';

export interface RawDefaults {
  readonly timeout: {
    readonly handshake: number;
    readonly inspect: number;
    readonly connect: number;
    readonly connack: number;
    readonly client?: number | undefined;
    readonly server?: number | undefined;
  };
  readonly retries: number;
  readonly max_connect_size: number;
}

const SILENCE_MIN_MS = 1_000;
/** The largest packet of MQTT: 268,435,455 bytes and five of header (MQTT 5.0, 2.1.4). */
const MAX_PACKET = 268_435_460;

const HANDSHAKE = 'How long a client may take for its PROXY header, its TLS handshake, and its WebSocket upgrade.';
const INSPECT =
  'From accept to the whole CONNECT, with `sni_routes` to the whole ClientHello; bytes that trickle do not extend it.';
const CONNECT = 'How long connecting to a server may take.';
const CONNACK = 'How long a server may take to answer a CONNECT. Then the next server is tried.';
const SILENT =
  'is closed where the keep-alive of the client is 0, and in `mode: tcp`. With any other keep-alive, 1.5 times it is the ' +
  'limit, whatever stands here.';
const CLIENT = `After how much silence a client ${SILENT}`;
const SERVER = `After how much silence of the server a session ${SILENT}`;
const RETRIES = 'How many further servers a client may be tried on, when one does not connect or does not want it.';
const MAX_CONNECT_SIZE = 'The largest CONNECT that is read.';

/** A key that `defaults` fills in. */
function inherited(meaning: string, key: string): Meaning {
  return { meaning, standard: `\`defaults.${key}\`` };
}

const unlimited = (meaning: string): Meaning => ({ meaning, standard: 'no limit' });

const maxConnectSize = (meaning: Meaning = MAX_CONNECT_SIZE): z.ZodType<number> => size(meaning, 64, MAX_PACKET);
const retries = (meaning: Meaning = RETRIES): z.ZodType<number> => integer(meaning, 0, 100);

export const frontendMaxConnectSize: z.ZodType<number> = maxConnectSize(
  inherited(MAX_CONNECT_SIZE, 'max_connect_size'),
);
export const backendRetries: z.ZodType<number> = retries(inherited(RETRIES, 'retries'));

export const defaultsSchema: z.ZodType<RawDefaults> = z
  .strictObject({
    timeout: z
      .strictObject({
        handshake: duration(HANDSHAKE).prefault('10s'),
        inspect: duration(INSPECT).prefault('10s'),
        connect: duration(CONNECT).prefault('10s'),
        connack: duration(CONNACK).prefault('10s'),
        client: duration(unlimited(CLIENT), SILENCE_MIN_MS).optional(),
        server: duration(unlimited(SERVER), SILENCE_MIN_MS).optional(),
      })
      .meta(keyDoc('mapping', 'Deadlines.'))
      .prefault({}),
    retries: retries().prefault(3),
    max_connect_size: maxConnectSize().prefault('512KiB'),
  })
  .meta(keyDoc('mapping', 'What holds for every frontend and backend that does not say otherwise.'));

export interface RawFrontendTimeout {
  readonly handshake?: number | undefined;
  readonly inspect?: number | undefined;
  readonly client?: number | undefined;
}

export const frontendTimeout: z.ZodType<RawFrontendTimeout> = z
  .strictObject({
    handshake: duration(inherited(HANDSHAKE, 'timeout.handshake')).optional(),
    inspect: duration(inherited(INSPECT, 'timeout.inspect')).optional(),
    client: duration(inherited(CLIENT, 'timeout.client'), SILENCE_MIN_MS).optional(),
  })
  .meta(keyDoc('mapping', 'Deadlines of the client side.'));

export interface RawBackendTimeout {
  readonly connect?: number | undefined;
  readonly connack?: number | undefined;
  readonly server?: number | undefined;
}

export const backendTimeout: z.ZodType<RawBackendTimeout> = z
  .strictObject({
    connect: duration(inherited(CONNECT, 'timeout.connect')).optional(),
    connack: duration(inherited(CONNACK, 'timeout.connack')).optional(),
    server: duration(inherited(SERVER, 'timeout.server'), SILENCE_MIN_MS).optional(),
  })
  .meta(keyDoc('mapping', 'Deadlines of the server side.'));
