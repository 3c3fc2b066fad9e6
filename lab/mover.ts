/**
 * Who moves the address: keepalived behind its guard, or `limpet vip`. Both as their user gets them.
 */
import type { Process } from '../packages/proxy/test/kit/process.ts';
import type { RunningProcess } from './processes.ts';

export const moverKinds = ['keepalived', 'vip'] as const;
export type MoverKind = (typeof moverKinds)[number];

export const timings = ['fast', 'default'] as const;
export type Timing = (typeof timings)[number];

/** On one host. Disposing of it ends it, and its supervisor with it. */
export interface Mover extends AsyncDisposable {
  readonly kind: MoverKind;
  /** The supervisor's process, and what it printed. */
  readonly process: Process;
  /** What moves addresses, without its supervisor, which starts them again. */
  daemons(): readonly RunningProcess[];
}
