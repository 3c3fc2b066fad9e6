/**
 * Everything that can be measured, in the order of the table. Each scenario is a file of its own.
 */
import type { Brokers } from './brokers.ts';
import type { Measure, Row } from './measure.ts';
import type { Options } from './options.ts';
import { blockedScenario } from './scenario_blocked.ts';
import { bulkScenario } from './scenario_bulk.ts';
import { connectScenario } from './scenario_connect.ts';
import { latencyScenario } from './scenario_latency.ts';
import { memoryScenario } from './scenario_memory.ts';
import { messageScenario } from './scenario_message.ts';
import { reloadScenario } from './scenario_reload.ts';
import { tlsScenario } from './scenario_tls.ts';
import { websocketScenario } from './scenario_websocket.ts';
import type { Service } from './service.ts';
import { awayScenario } from './table_away.ts';
import { tableScenario } from './table_scenario.ts';
import type { Target, TargetName } from './target.ts';

/** One way to do a scenario's work. What is left out of a `Row`: judged by ratio to HAProxy, no limits, no notes. */
export interface RowPlan extends Pick<Row, 'title' | 'meaning' | 'unit' | 'judged'> {
  readonly by?: Row['by'];
  readonly shown?: Row['shown'];
  readonly limits?: Readonly<Partial<Record<TargetName, number>>>;
  readonly atLeast?: boolean;
  readonly others?: Row['others'];
  readonly notes?: readonly string[];
  /** Targets that can do it; of them, those that were asked for are measured. */
  readonly targets: readonly TargetName[];
  /** What proxies and brokers are set up for. Rows of the same service, by identity, share running proxies. */
  readonly service: Service;
  /** A new proxy for each run: what the run looks at would remember the last one. */
  readonly isFresh?: boolean;
  readonly measure: (run: Run) => Promise<Measure>;
}

/** One run. */
export interface Run {
  readonly target: Target;
  readonly brokers: Brokers;
  /** A name that no other run of any row has, of at most 24 characters: for client ids. */
  readonly name: string;
  /** How long the load lasts. */
  readonly seconds: number;
  /** Threads of HAProxy, workers of Limpet, processes of nginx. */
  readonly workers: number;
  /** As small as can be: only correctness counts. */
  readonly isSmoke: boolean;
}

/** Measured target by target, or all by itself, in rows of its own. */
export type Scenario = { readonly plans: readonly RowPlan[] } | { readonly rows: (options: Options) => Promise<Row[]> };

export const scenarios: ReadonlyMap<string, Scenario> = new Map([
  ['connect', connectScenario],
  ['message', messageScenario],
  ['bulk', bulkScenario],
  ['latency', latencyScenario],
  ['memory', memoryScenario],
  ['websocket', websocketScenario],
  ['blocked', blockedScenario],
  ['tls', tlsScenario],
  ['reload', reloadScenario],
  ['table', tableScenario],
  ['redis-away', awayScenario],
]);
