import { LimpetError } from '@limpet/proxy';
import { connectAsync, type MqttClient } from 'mqtt';

/** From the first byte to CONNACK. Generous: the machine may be busy with its first start. */
const CONNECT_TIMEOUT_MS = 20_000;

/** So many connect at a time: a thousand at once would overflow the backlog of a listening socket. */
const AT_A_TIME = 50;

/** The demo's own clients, connected through the proxy. */
export class DemoClients {
  readonly #port: number;
  #connected: MqttClient[] = [];

  constructor(port: number) {
    this.#port = port;
  }

  /** Connects every id and waits for each CONNACK. Throws a LimpetError that names the id that failed. */
  async connect(ids: readonly string[]): Promise<void> {
    for (let at = 0; at < ids.length; at += AT_A_TIME) {
      const wave = await Promise.allSettled(ids.slice(at, at + AT_A_TIME).map(id => connectOne(this.#port, id)));
      for (const result of wave) if (result.status === 'fulfilled') this.#connected.push(result.value);
      for (const result of wave) if (result.status === 'rejected') throw result.reason;
    }
  }

  /** Says DISCONNECT for every client and waits until the connections are closed. */
  async disconnect(): Promise<void> {
    const leaving = this.#connected;
    this.#connected = [];
    await Promise.all(leaving.map(client => client.endAsync()));
  }

  /** Drops every connection, without a word to the other side. */
  async drop(): Promise<void> {
    await Promise.all(this.#connected.map(client => client.endAsync(true)));
  }
}

async function connectOne(port: number, clientId: string): Promise<MqttClient> {
  const options = { clientId, clean: false, keepalive: 60, reconnectPeriod: 0, connectTimeout: CONNECT_TIMEOUT_MS };
  try {
    const client = await connectAsync(`mqtt://127.0.0.1:${port}`, options, false);
    // A connection that breaks later is seen where it matters: the client does not come home.
    client.on('error', () => {});
    return client;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new LimpetError(
      'DEMO_CLIENT',
      `the demo's client ${clientId} could not connect: ${reason}`,
      "run it again with --verbose: the proxy's log says why",
    );
  }
}
