/**
 * What is measured. A scenario has rows; a row is one way to run it.
 */
import type { Bench, Measure } from './measure.ts';
import { measureConnect } from './measure_connect.ts';
import { measureMessage } from './measure_message.ts';
import type { Target } from './target.ts';

export const scenarioNames = ['connect', 'message'] as const;
export type ScenarioName = (typeof scenarioNames)[number];

export interface RowPlan {
  readonly title: string;
  /** What the CPU is divided by. */
  readonly unit: string;
  /** One run; `run` is a name that no other run of any row has. */
  readonly measure: (bench: Bench, target: Target, run: string, seconds: number) => Promise<Measure>;
}

/** Clients at a time, of each thread. */
const concurrency = 32;
/** Few enough for the stick tables (100k) and for one second to see each of them more than once. */
const returningIds = 500;
const connections = 500;
const pacedPerS = 10_000;

export const scenarios: Readonly<Record<ScenarioName, readonly RowPlan[]>> = {
  connect: [
    {
      title: 'connect, new clients',
      unit: 'connection',
      measure: (bench, target, run, seconds) =>
        measureConnect(bench, target, { prefix: run, ids: null, seconds, concurrency }),
    },
    {
      title: `connect, ${returningIds} clients returning`,
      unit: 'connection',
      measure: (bench, target, _run, seconds) =>
        measureConnect(bench, target, { prefix: 'returning', ids: returningIds, seconds, concurrency }),
    },
  ],
  message: [
    {
      title: `message, ${pacedPerS}/s over ${connections}`,
      unit: 'message',
      measure: (bench, target, run, seconds) =>
        measureMessage(bench, target, { prefix: run, connections, seconds, rate: pacedPerS }),
    },
    {
      title: `message, saturated over ${connections}`,
      unit: 'message',
      measure: (bench, target, run, seconds) =>
        measureMessage(bench, target, { prefix: run, connections, seconds, rate: null }),
    },
  ],
};
