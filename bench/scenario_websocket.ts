/**
 * `websocket`: messages and bulk in WebSocket frames, which go through untouched.
 */
import { GB, measureBulk } from './scenario_bulk.ts';
import { pacedPerS, publishingOver } from './scenario_message.ts';
import type { RowPlan, Scenario } from './scenarios.ts';
import { plain, type Service } from './service.ts';

/** Of one run; some seconds of CPU. */
const runBytes = 2 * GB;

const notes = [
  'haproxy and nginx: in tcp mode, without stickiness; Limpet reads the upgrade and the CONNECT, and sticks.',
];
const targets = ['haproxy', 'nginx', 'limpet', 'limpet-node'] as const;
const websocket: Service = { ...plain, transport: 'websocket' };

export const websocketScenario: Scenario = {
  plans: [
    messagePlan(`WebSocket, ${pacedPerS}/s`, pacedPerS),
    messagePlan('WebSocket, saturated', null),
    bulkPlan('upload'),
    bulkPlan('download'),
  ],
};

function messagePlan(title: string, rate: number | null): RowPlan {
  return {
    title,
    meaning: `As the row of \`message\`, each in a frame of its own (the clients' are masked), with brokers that speak WebSocket.`,
    unit: 'message',
    judged: 'cpuUs',
    shown: ['perS', 'loadUs'],
    limits: { limpet: 0.95 },
    notes,
    targets,
    service: websocket,
    measure: publishingOver('websocket', { rate, batch: 1, echo: rate === null }),
  };
}

function bulkPlan(direction: 'upload' | 'download'): RowPlan {
  return {
    title: `WebSocket bulk, ${direction}`,
    meaning: `As \`bulk\`, ${runBytes / GB} GB, each packet in a frame of its own (the clients' are masked).`,
    unit: 'GB',
    judged: 'cpuUs',
    shown: ['perS', 'loadUs'],
    notes,
    targets,
    service: websocket,
    measure: run => measureBulk(run, direction, 'websocket', runBytes),
  };
}
