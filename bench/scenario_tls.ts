/**
 * `tls`: TLS 1.3 ends at the proxy, and brokers are spoken to in plain. Everybody has the same certificate, and the load
 * offers one cipher and one group (`load/tls.c`).
 */
import type { ConnectResult } from './connects.ts';
import type { Transport } from './load.ts';
import { GB, measureBulk } from './scenario_bulk.ts';
import { concurrency, measureConnects } from './scenario_connect.ts';
import { pacedPerS, publishingOver } from './scenario_message.ts';
import type { RowPlan, Scenario } from './scenarios.ts';
import { plain, type Service } from './service.ts';

/** Of one run; some seconds of CPU. */
const runBytes = 2 * GB;

const ecdsa: Service = { ...plain, transport: 'tls-ec' };
const rsa: Service = { ...plain, transport: 'tls-rsa' };
const targets = ['haproxy', 'limpet', 'limpet-node'] as const;

export const tlsScenario: Scenario = {
  plans: [
    connectPlan('full, ECDSA P-256', ecdsa, 'tls', 1.3),
    connectPlan('resumed, ECDSA P-256', ecdsa, 'tls-resumed', 1.25),
    messagePlan(`TLS message, ${pacedPerS}/s`, pacedPerS),
    messagePlan('TLS message, saturated', null),
    bulkPlan('upload'),
    bulkPlan('download'),
    connectPlan('full, RSA 2048', rsa, 'tls', 1.3),
  ],
};

function connectPlan(title: string, service: Service, transport: Transport, limit: number): RowPlan {
  const handshake = transport === 'tls' ? 'a full handshake' : 'a handshake by the ticket of an earlier connection';
  return {
    title: `TLS connect, ${title}`,
    meaning: `Dial, ${handshake}, CONNECT, CONNACK, DISCONNECT, ${concurrency} clients at a time; every client id is a new one.`,
    unit: 'connection',
    judged: 'cpuUs',
    shown: ['perS', 'p50Us', 'p99Us', 'loadUs'],
    limits: { limpet: limit },
    targets,
    service,
    measure: run => measureConnects(run, null, transport, result => wrongHandshakes(transport, result)),
  };
}

/** The first clients that come together have no ticket yet. */
function wrongHandshakes(transport: Transport, { fullHandshakes, resumedHandshakes }: ConnectResult): string[] {
  const wrong = transport === 'tls' ? resumedHandshakes : Math.max(0, fullHandshakes - concurrency);
  return wrong === 0 ? [] : [`${wrong} handshakes were ${transport === 'tls' ? 'resumed' : 'full'}`];
}

function messagePlan(title: string, rate: number | null): RowPlan {
  return {
    title,
    meaning: `As the row of \`message\`, each message in a record of its own.`,
    unit: 'message',
    judged: 'cpuUs',
    shown: ['perS', 'loadUs'],
    limits: { limpet: 1.2 },
    targets,
    service: ecdsa,
    measure: publishingOver('tls', { rate, batch: 1, echo: rate === null }),
  };
}

function bulkPlan(direction: 'upload' | 'download'): RowPlan {
  return {
    title: `TLS bulk, ${direction}`,
    meaning: `As \`bulk\`, ${runBytes / GB} GB, with AES-128-GCM.`,
    unit: 'GB',
    judged: 'cpuUs',
    shown: ['perS', 'loadUs'],
    limits: { limpet: 1.1 },
    targets,
    service: ecdsa,
    measure: run => measureBulk(run, direction, 'tls', runBytes),
  };
}
