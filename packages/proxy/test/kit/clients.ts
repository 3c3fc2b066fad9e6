/**
 * Real MQTT clients (mqtt.js), which say clearly why they could not connect and never reconnect behind a test's back.
 */
import { connect, type IClientOptions, type IConnackPacket, type MqttClient } from 'mqtt';
import { within } from './condition.ts';

export interface ClientOptions {
  readonly clientId: string;
  /** Default true. */
  readonly clean?: boolean;
  /** 3 = MQTT 3.1, 4 = 3.1.1 (default), 5 = 5.0. */
  readonly protocolVersion?: 3 | 4 | 5;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 10 s; includes the CONNACK. */
  readonly timeoutMs?: number;
  /** Anything else that mqtt.js knows. */
  readonly mqtt?: IClientOptions;
}

/** An accepted client. Disposing of it sends DISCONNECT, if it is still connected. */
export interface Client extends AsyncDisposable {
  readonly mqtt: MqttClient;
  readonly connack: IConnackPacket;
  /** When the connection is gone, whoever ended it. */
  readonly closed: Promise<void>;
  /** DISCONNECT, and the end of the connection. */
  end(): Promise<void>;
  /** The connection ends without DISCONNECT, as by a lost network: the broker sends the Will. */
  drop(): Promise<void>;
}

/** Connects; rejects with the CONNACK's refusal, or with how the connection ended before there was one. */
export async function connectClient(port: number, options: ClientOptions): Promise<Client> {
  const { clientId, clean = true, protocolVersion = 4, host = '127.0.0.1', timeoutMs = 10_000 } = options;
  const mqtt = connect({
    host,
    port,
    protocol: 'mqtt',
    clientId,
    clean,
    protocolVersion,
    protocolId: protocolVersion === 3 ? 'MQIsdp' : 'MQTT',
    connectTimeout: timeoutMs,
    reconnectPeriod: 0,
    ...options.mqtt,
  });
  const closed = new Promise<void>(resolve => mqtt.once('close', () => resolve()));
  try {
    const connack = await within(accepted(mqtt, clientId), { what: `a CONNACK for ${clientId}`, timeoutMs });
    return { mqtt, connack, closed, ...endings(mqtt, closed) };
  } catch (error) {
    mqtt.end(true);
    throw error;
  } finally {
    // Later errors of the stream end in `close`, which `closed` tells.
    mqtt.on('error', () => undefined);
  }
}

function accepted(mqtt: MqttClient, clientId: string): Promise<IConnackPacket> {
  return new Promise((resolve, reject) => {
    mqtt.once('connect', resolve);
    mqtt.once('error', error => reject(new Error(`client ${clientId}: ${error.message}`, { cause: error })));
    mqtt.once('close', () => reject(new Error(`client ${clientId}: the connection was closed before a CONNACK`)));
  });
}

type Endings = Pick<Client, 'end' | 'drop' | typeof Symbol.asyncDispose>;

function endings(mqtt: MqttClient, closed: Promise<void>): Endings {
  const end = async (): Promise<void> => {
    if (mqtt.connected) await mqtt.endAsync();
    else mqtt.end(true);
    await closed;
  };
  const drop = async (): Promise<void> => {
    mqtt.stream.destroy();
    await closed;
  };
  return { end, drop, [Symbol.asyncDispose]: end };
}
