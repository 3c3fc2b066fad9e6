/**
 * `websocket`: messages in WebSocket frames, which go through untouched.
 */
import { pacedPerS, publishingOver } from './scenario_message.ts';
import type { RowPlan, Scenario } from './scenarios.ts';
import { plain, type Service } from './service.ts';

const websocket: Service = { ...plain, transport: 'websocket' };

export const websocketScenario: Scenario = {
  plans: [plan(`WebSocket, ${pacedPerS}/s`, pacedPerS), plan('WebSocket, saturated', null)],
};

function plan(title: string, rate: number | null): RowPlan {
  return {
    title,
    meaning: `As the row of \`message\`, each in a frame of its own (the clients' are masked), with brokers that speak WebSocket.`,
    unit: 'message',
    judged: 'cpuUs',
    shown: ['perS', 'loadUs'],
    limits: { limpet: 0.95 },
    notes: [
      'haproxy and nginx: in tcp mode, without stickiness; Limpet reads the upgrade and the CONNECT, and sticks.',
    ],
    targets: ['haproxy', 'nginx', 'limpet', 'limpet-node'],
    service: websocket,
    measure: publishingOver('websocket', { rate, batch: 1, echo: rate === null }),
  };
}
