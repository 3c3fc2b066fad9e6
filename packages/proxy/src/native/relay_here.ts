import { availableParallelism } from 'node:os';
import { allowedCpus, cpuList, deniedCpus, WHO_DECIDES } from '../config/allowed_cpus.ts';
import type { GlobalConfig } from '../config/resolved.ts';
import { LimpetError } from '../errors.ts';
import { loadAddon } from './load_addon.ts';
import { chooseRelay } from './relay_choice.ts';

type Wanted = Pick<GlobalConfig, 'relay' | 'cpuMap' | 'workers'>;

/**
 * Which relay the workers of this machine will use: `native`, or `node` with why. Nothing is started or bound.
 * @throws LimpetError RELAY_UNAVAILABLE, CPU_MAP_UNAVAILABLE, CPU_MAP_FAILED: they could not start
 */
export function relayHere(global: Wanted): string {
  const { words } = chooseRelay(global, loadAddon);
  if (global.cpuMap !== null) checkCpus(global.cpuMap, global.workers, allowedCpus(availableParallelism()));
  return words;
}

/**
 * A worker can only say this when it has been started, and again when it is started anew.
 * @throws LimpetError CPU_MAP_FAILED
 */
function checkCpus(cpuMap: readonly (readonly number[])[], workers: number, allowed: readonly number[]): void {
  const denied = deniedCpus(cpuMap, workers, allowed);
  if (denied.length === 0) return;
  const what = `global.cpu_map names CPU ${denied.join(', ')}, and this process may use ${cpuList(allowed)}`;
  throw new LimpetError('CPU_MAP_FAILED', what, `name CPUs of these (${WHO_DECIDES}), or leave global.cpu_map out`);
}
