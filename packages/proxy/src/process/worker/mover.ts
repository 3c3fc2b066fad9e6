import type { TimerWheel } from '../../clock.ts';
import type { GlobalConfig } from '../../config/resolved.ts';
import { LimpetError } from '../../errors.ts';
import { openFilesOfThisProcess, pipesWithin } from '../../listen/descriptors.ts';
import type { NativeAddon } from '../../native/addon.ts';
import { Engine } from '../../native/engine.ts';
import { loadAddon } from '../../native/load_addon.ts';
import { NativeRelays } from '../../native/native_relays.ts';
import { chooseRelay, pinWorker } from '../../native/relay_choice.ts';
import { NodeRelays } from '../../relay/node_relays.ts';
import type { Relays } from '../../relay/relays.ts';

/** What moves the bytes of one worker. */
export interface Mover {
  /** Null: everything runs in TypeScript. */
  readonly engine: Engine | null;
  readonly relays: Relays;
  /** Brings what has passed to the meters that relays were begun with. */
  settle(): void;
}

/**
 * Makes the relays that `global.relay` names, and binds the process to the CPUs of its slot before there is another thread.
 * @throws LimpetError RELAY_UNAVAILABLE, CPU_MAP_UNAVAILABLE, CPU_MAP_FAILED, ENGINE_FAILED
 */
export function openMover(global: Pick<GlobalConfig, 'relay' | 'cpuMap'>, slot: number, wheel: TimerWheel): Mover {
  const { addon } = chooseRelay(global, loadAddon);
  if (global.cpuMap !== null) pinWorker(global.cpuMap, slot, loadAddon);
  const node = new NodeRelays(wheel);
  if (addon === null) return { engine: null, relays: node, settle() {} };
  const engine = openEngine(addon);
  const relays = new NativeRelays(engine, node);
  return { engine, relays, settle: () => relays.settle() };
}

function openEngine(addon: NativeAddon): Engine {
  try {
    return new Engine(addon, pipesWithin(openFilesOfThisProcess()));
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    const remedy = 'raise the limits of threads and descriptors (ulimit -u, ulimit -n), or set global.relay to node';
    throw new LimpetError('ENGINE_FAILED', `a worker cannot start its native engine: ${what}`, remedy);
  }
}
