/**
 * CONNECTs of raw clients.
 */
import { connectBytes, field } from '../unit/preread/connect_bytes.ts';
import { connack } from './broker.ts';
import { connectRaw, type RawOptions, type RawSocket } from './raw_socket.ts';

export interface RawConnect {
  readonly clientId: string;
  /** Default 4. */
  readonly level?: 3 | 4 | 5;
  /** Seconds; default 60. */
  readonly keepAliveS?: number;
  /** 5.0: the whole property section; default: an empty one. */
  readonly properties?: Buffer;
}

export function connectFor({ clientId, level = 4, keepAliveS = 60, properties }: RawConnect): Buffer {
  const payload = [field(clientId)];
  return connectBytes(
    properties === undefined ? { level, keepAliveS, payload } : { level, keepAliveS, payload, properties },
  );
}

/** A raw client that has its plain CONNACK. */
export async function acceptedRaw(port: number, connect: RawConnect, options: RawOptions = {}): Promise<RawSocket> {
  const client = await connectRaw(port, options);
  await client.write(connectFor(connect));
  const answer = connack(connect.level ?? 4, 0);
  const received = await client.waitForBytes(answer.length);
  if (received.subarray(0, answer.length).equals(answer)) return client;
  client[Symbol.dispose]();
  throw new Error(`${connect.clientId} was answered ${received.toString('hex')}`);
}
