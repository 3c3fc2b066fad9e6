import type { ConnectOptions } from '@limpet/state';
import type { VirtualAddress } from '../host/address.ts';
import type { HookSet } from '../host/hooks.ts';
import type { Terms } from '../pair/terms.ts';
import type { Endpoint } from './endpoint.ts';

/** vip.yaml with everything filled in, as plain data: it is sent to the worker. Holds secrets; never logged. */
export interface VipConfig {
  /** Of the instance: in Redis, in the FIFO and in the heartbeats. */
  readonly name: string;
  readonly addresses: readonly VirtualAddress[];
  /** The network interface. */
  readonly device: string;
  /** `ip`: on the interface. `hook`: what `on_active` calls moves it. */
  readonly addressBy: 'ip' | 'hook';
  readonly self: Endpoint;
  readonly peer: Endpoint;
  readonly secret: string;
  readonly terms: Terms;
  /** SCHED_RR for its processes. */
  readonly isRealtime: boolean;
  readonly redis: Pick<ConnectOptions, 'target' | 'prefix' | 'timeoutMs' | 'name'> | null;
  readonly redisDeadlineMs: number;
  /** Null: this host is always ready. */
  readonly trackFile: string | null;
  readonly notifyFifo: string | null;
  readonly hooks: HookSet;
}
