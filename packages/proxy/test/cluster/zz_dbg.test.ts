import { test } from 'vitest';
import { accepts, startBroker, streamBytes } from '../kit/broker.ts';
import { within } from '../kit/condition.ts';
import { configFor } from '../kit/config.ts';
import { acceptedRaw } from '../kit/connects.ts';
import { startLimpet } from '../kit/limpet.ts';
import { execSync } from 'node:child_process';

test('dbg', async () => {
  await using broker = await startBroker(accepts());
  await using limpet = await startLimpet(configFor({ servers: [broker.port] }));
  for (let i = 0; i < 40; i++) for (const first of ['client', 'broker'] as const) {
    const n = broker.peers.length;
    const client = await acceptedRaw(limpet.port('mqtt'), { clientId: 'a' });
    const peer = await broker.waitForPeer(n);
    const [leaver, stayer] = first === 'client' ? [client, peer] : [peer, client];
    await leaver.write(streamBytes(100_000));
    leaver.reset();
    try { console.log(first, await within(stayer.closed, { what: 'the reset', timeoutMs: 1500 }), stayer.bytesIn); } catch (e) {
      console.log('HANG', first, stayer.bytesIn, stayer.ended, stayer.isClosed, limpet.events().slice(-2), execSync(`ss -tnoi '( sport = :${limpet.port('mqtt')} or dport = :${limpet.port('mqtt')} or dport = :${broker.port} or sport = :${broker.port} )'`).toString());
      break;
    }
  }
});
