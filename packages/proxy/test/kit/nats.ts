/**
 * A real NATS server: an MQTT 3.1.1 broker with a WebSocket listener of its own, at `/mqtt`.
 */
import { type Directory, makeDirectory } from './directory.ts';
import { type Process, startProcess } from './process.ts';

export async function startNats(): Promise<Nats> {
  const directory = await makeDirectory('nats');
  // It picks its ports itself, and tells them.
  const config = `host: 127.0.0.1
port: -1
server_name: nats
jetstream { store_dir: "${directory.path}" }
mqtt { host: 127.0.0.1, port: -1 }
websocket { host: 127.0.0.1, port: -1, no_tls: true }
`;
  const process = startProcess('nats-server', ['-D', '-c', directory.write('nats.conf', config)]);
  try {
    await process.waitForLine(/Server is ready/);
    const [, mqtt] = await process.waitForLine(/MQTT clients on mqtt:\/\/\S+:(\d+)/);
    const [, webSocket] = await process.waitForLine(/websocket clients on ws:\/\/\S+:(\d+)/);
    return new Nats(directory, process, Number(mqtt), Number(webSocket));
  } catch (error) {
    await process[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
    throw error;
  }
}

/** Disposing of it ends it and removes its folder. */
export class Nats implements AsyncDisposable {
  /** Of plain MQTT. */
  readonly port: number;
  /** Of MQTT over WebSocket. */
  readonly webSocketPort: number;
  readonly process: Process;
  readonly #directory: Directory;

  constructor(directory: Directory, process: Process, port: number, webSocketPort: number) {
    this.#directory = directory;
    this.process = process;
    this.port = port;
    this.webSocketPort = webSocketPort;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process[Symbol.asyncDispose]();
    await this.#directory[Symbol.asyncDispose]();
  }
}
