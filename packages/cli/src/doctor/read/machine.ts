import { availableParallelism } from 'node:os';
import { hasReusePort } from '@limpet/proxy';
import type { Machine } from '../judge/machine.ts';
import { numbersOf, textOf } from './text.ts';

/** `pid`: whose control group is asked; the proxy's where one runs. */
export function readMachine(pid: number | null): Machine {
  const groups = groupFolders(textOf(`/proc/${pid ?? 'self'}/cgroup`) ?? '');
  const memory = textOf('/proc/meminfo') ?? '';
  return {
    node: process.version,
    ownSockets: hasReusePort(),
    cpus: availableParallelism(),
    cpuQuota: smallest(groups.flatMap(cpuQuotas)),
    memoryBytes: kilobytes(memory, 'MemTotal'),
    memoryLimitBytes: smallest(groups.flatMap(memoryLimits)),
    swapBytes: kilobytes(memory, 'SwapTotal'),
  };
}

/**
 * The folders of a process's control groups, and of those above them: each may have a limit. Version 2 has the line
 * `0::/system.slice/limpet.service`; version 1 one for each of its kinds.
 */
export function groupFolders(text: string): readonly string[] {
  return text.split('\n').flatMap(line => {
    const [, kinds, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (kinds === undefined || path === undefined) return [];
    if (kinds !== '' && !/^(?:cpu|cpu,cpuacct|memory)$/.test(kinds)) return [];
    const root = kinds === '' ? '/sys/fs/cgroup' : `/sys/fs/cgroup/${kinds}`;
    const names = path.split('/').filter(name => name !== '');
    return [root, ...names.map((_, at) => [root, ...names.slice(0, at + 1)].join('/'))];
  });
}

function memoryLimits(folder: string): number[] {
  const limits = [`${folder}/memory.max`, `${folder}/memory.limit_in_bytes`].flatMap(path => numbersOf(path) ?? []);
  // Version 1 writes nearly 2^63 where there is no limit.
  return limits.filter(limit => limit < 2 ** 60);
}

/** `200000 100000`: the time of two processors; `max 100000`: no limit. */
function cpuQuotas(folder: string): number[] {
  const both = /^(\d+) (\d+)/.exec(textOf(`${folder}/cpu.max`) ?? '');
  if (both !== null) return [Number(both[1]) / Number(both[2])];
  const quota = numbersOf(`${folder}/cpu.cfs_quota_us`)?.[0] ?? -1;
  const period = numbersOf(`${folder}/cpu.cfs_period_us`)?.[0] ?? 0;
  return quota > 0 && period > 0 ? [quota / period] : [];
}

function smallest(values: readonly number[]): number | null {
  return values.length === 0 ? null : Math.min(...values);
}

function kilobytes(text: string, name: string): number | null {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1];
  return found === undefined ? null : Number(found) * 1024;
}
