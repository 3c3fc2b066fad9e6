import { cpuList, deniedCpus, WHO_DECIDES } from './allowed_cpus.ts';
import { type Notes, warn } from './notes.ts';
import type { GlobalConfig } from './resolved.ts';

/** What of this machine the relay depends on. */
export interface RelayMachine {
  /** The numbers of the CPUs that this process may use. */
  readonly allowedCpus: readonly number[];
  /** How the addon is had. It is looked for only when this is called. */
  readonly addon: () => AddonThere;
}

/** `why` there is none, null where there is one, and how one is made. */
interface AddonThere {
  readonly why: string | null;
  readonly remedy: string;
}

/** Here Limpet would not start with it. It may on another machine, and a configuration is checked on any. */
export function warnOfRelay(global: GlobalConfig, machine: RelayMachine, notes: Notes): void {
  const { relay, cpuMap, workers } = global;
  const key = relay === 'native' ? 'relay' : 'cpu_map';
  const { why, remedy } = relay === 'native' || cpuMap !== null ? machine.addon() : PRESENT;
  if (why !== null) warn(['global', key], `on this machine there is no native addon: ${why}`, remedy, notes);
  const denied = cpuMap === null ? [] : deniedCpus(cpuMap, workers, machine.allowedCpus);
  if (denied.length === 0) return;
  const what = `CPU ${denied.join(', ')} cannot be used on this machine, ${cpuList(machine.allowedCpus)} can`;
  warn(['global', 'cpu_map'], what, `Name CPUs of these; ${WHO_DECIDES}.`, notes);
}

const PRESENT: AddonThere = { why: null, remedy: '' };
