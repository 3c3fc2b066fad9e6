import type { GlobalConfig } from '../config/resolved.ts';
import { LimpetError } from '../errors.ts';
import type { NativeAddon } from './addon.ts';
import { howToBuild, type LoadedAddon } from './load_addon.ts';

/** Which relay a process uses. */
export interface RelayChoice {
  /** Null: everything runs in TypeScript. */
  readonly addon: NativeAddon | null;
  /** `native`, or `node` with why. */
  readonly words: string;
}

type Wanted = Pick<GlobalConfig, 'relay' | 'cpuMap'>;

/**
 * What `global.relay` comes to on this machine.
 * @param load is not called where nothing wants the addon
 * @throws LimpetError RELAY_UNAVAILABLE, CPU_MAP_UNAVAILABLE
 */
export function chooseRelay({ relay, cpuMap }: Wanted, load: () => LoadedAddon): RelayChoice {
  if (relay === 'node' && cpuMap === null) return { addon: null, words: AS_CONFIGURED };
  const loaded = load();
  if (loaded.addon === null && relay === 'native') throw unavailable('RELAY', 'global.relay is native', loaded.why);
  if (loaded.addon === null && cpuMap !== null) throw unavailable('CPU_MAP', 'global.cpu_map is set', loaded.why);
  if (relay === 'node') return { addon: null, words: AS_CONFIGURED };
  return loaded.addon === null ? { addon: null, words: `node: ${loaded.why}` } : { ...loaded, words: 'native' };
}

/** What `words` are where nobody asked for another one. */
export const AS_CONFIGURED = 'node: as global.relay says';

/**
 * Binds this process to the CPUs of its slot. Before its other threads are made: they are bound then, too.
 * @throws LimpetError CPU_MAP_UNAVAILABLE, CPU_MAP_FAILED
 */
export function pinWorker(cpuMap: readonly (readonly number[])[], slot: number, load: () => LoadedAddon): void {
  const cpus = cpuMap[slot % cpuMap.length] ?? [];
  const loaded = load();
  if (loaded.addon === null) throw unavailable('CPU_MAP', 'global.cpu_map is set', loaded.why);
  try {
    loaded.addon.pin(cpus);
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    const remedy =
      'name CPUs that this machine has and that this process may use (nproc, taskset -p), or leave cpu_map out';
    throw new LimpetError('CPU_MAP_FAILED', `a worker cannot be bound to CPU ${cpus.join(', ')}: ${what}`, remedy);
  }
}

function unavailable(what: 'RELAY' | 'CPU_MAP', wanted: string, why: string): LimpetError {
  const without = what === 'RELAY' ? 'set global.relay to auto or node' : 'leave global.cpu_map out';
  const remedy = `build the addon (${howToBuild()}), or ${without}`;
  return new LimpetError(`${what}_UNAVAILABLE`, `${wanted}, and there is no native addon: ${why}`, remedy);
}
