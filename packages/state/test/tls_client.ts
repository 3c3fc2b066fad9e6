/** Run as a process of its own, because Node reads NODE_EXTRA_CA_CERTS only at its start: tells what it heard of Redis. */
import { connectRedis } from '../src/redis.ts';
import type { StateError } from '../src/state_error.ts';

const url = process.argv[2] ?? '';
const onAway = (reason: StateError): void => console.log(reason.message);
const connection = connectRedis({
  target: { kind: 'server', url },
  prefix: 'limpet',
  timeoutMs: 1000,
  name: 'tls',
  onAway,
});
if (await connection.circuit.firstContact) console.log(await connection.client.get('greeting'));
await connection.close();
