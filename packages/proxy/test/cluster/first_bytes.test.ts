/** P7: what a client said first is held until a broker has it, and not for as long as the client stays. */
import { expect, test } from 'vitest';
import { startBroker } from '../kit/broker.ts';
import { until } from '../kit/condition.ts';
import { configFor } from '../kit/config.ts';
import { startLimpet } from '../kit/limpet.ts';
import { residentBytes } from '../kit/proc.ts';
import { connectRaw, type RawSocket } from '../kit/raw_socket.ts';
import { connectOfLength } from '../unit/preread/connect_bytes.ts';

const MIB = 1024 ** 2;
const SESSIONS = 300;
const CONNECT_BYTES = 400_000;
const AT_ONCE = 10;

test('P7: 300 sessions that began with 400 KB each do not keep them', async () => {
  await using broker = await startBroker();
  await using limpet = await startLimpet(configFor({ servers: [broker.port], workers: 1 }));
  const [worker = 0] = limpet.workers();
  const open = async (): Promise<RawSocket> => {
    const client = await connectRaw(limpet.port('mqtt'));
    await client.write(connectOfLength(5, CONNECT_BYTES));
    await until(() => client.bytesIn > 0, { what: 'a CONNACK', timeoutMs: 30_000 });
    return client;
  };
  const round = async (): Promise<RawSocket[]> => {
    const clients: RawSocket[] = [];
    while (clients.length < SESSIONS) {
      clients.push(...(await Promise.all(Array.from({ length: AT_ONCE }, open))));
      for (const peer of broker.peers) peer.forget();
    }
    return clients;
  };
  const warm = await round();
  for (const client of warm) client.socket.destroy();
  const before = residentBytes(worker);
  const clients = await round();
  const grown = residentBytes(worker) - before;
  console.log(`${SESSIONS} sessions of ${CONNECT_BYTES} bytes each: ${(grown / MIB).toFixed(1)} MiB more`);
  // Garbage that is not collected yet is in it, too.
  expect(grown).toBeLessThan(SESSIONS * CONNECT_BYTES * 0.6);
  for (const client of clients) client.socket.destroy();
});
