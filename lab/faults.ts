/**
 * What can happen to the host that holds the address. A fault is applied in a moment, and answers how it is put right.
 */
import { dropFrames, passFrames, plugCable, pullCable } from './network.ts';
import type { Pair } from './pair.ts';
import { signalAll } from './processes.ts';
import type { ProxyHost } from './proxy_host.ts';

export interface Fault {
  /** For the table; `keepalived` stands for whatever moves the address. */
  readonly title: string;
  /** Whether nobody reaches the host while it lasts: what it holds then does no harm. */
  readonly cutsOff: boolean;
  /** Answers what puts it right. */
  readonly apply: (pair: Pair, active: ProxyHost) => Promise<() => Promise<void>>;
}

export const faultNames = [
  'proxy-killed',
  'proxy-frozen',
  'link-down',
  'frames-dropped',
  'keepalived-killed',
  'clean-stop',
  'redis-killed',
] as const;
export type FaultName = (typeof faultNames)[number];

export const faults: Readonly<Record<FaultName, Fault>> = {
  'proxy-killed': {
    title: 'proxy killed (SIGKILL)',
    cutsOff: false,
    apply: async (_, active) => {
      active.limpet.process.signal('SIGKILL');
      return () => active.startLimpet();
    },
  },
  'proxy-frozen': {
    title: 'proxy frozen (SIGSTOP)',
    cutsOff: false,
    apply: async (_, active) => {
      const frozen = active.limpetProcesses();
      signalAll(frozen, 'SIGSTOP');
      return async () => signalAll(frozen, 'SIGCONT');
    },
  },
  'link-down': {
    title: "host's link down",
    cutsOff: true,
    apply: async (_, active) => {
      await pullCable(active.name);
      return () => plugCable(active.name);
    },
  },
  'frames-dropped': {
    title: 'frames dropped silently',
    cutsOff: true,
    apply: async (_, active) => {
      await dropFrames(active.name);
      return passFrames;
    },
  },
  'keepalived-killed': {
    title: 'keepalived (`limpet vip`) killed',
    cutsOff: false,
    apply: async (_, active) => {
      signalAll(
        active.mover.daemons().map(({ pid }) => pid),
        'SIGKILL',
      );
      return async () => undefined;
    },
  },
  'clean-stop': {
    title: 'clean stop (SIGTERM)',
    cutsOff: false,
    apply: async (_, active) => {
      active.limpet.process.signal('SIGTERM');
      return () => active.startLimpet();
    },
  },
  'redis-killed': {
    title: 'Redis and proxy killed at the same moment',
    cutsOff: false,
    apply: async (pair, active) => {
      pair.services.killRedis();
      active.limpet.process.signal('SIGKILL');
      return async () => {
        await pair.services.startRedis();
        await active.startLimpet();
      };
    },
  },
};
