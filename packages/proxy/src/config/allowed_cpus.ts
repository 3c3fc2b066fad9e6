import { readFileSync } from 'node:fs';

/** The CPUs of a list as the kernel writes it: `0-3,8`. Empty where it is none. */
export function readCpuList(text: string): number[] {
  return text
    .trim()
    .split(',')
    .flatMap(part => {
      const range = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part);
      if (range === null) return [];
      const first = Number(range[1]);
      const last = Number(range[2] ?? range[1]);
      return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
    });
}

/** The CPUs that this process may use (`Cpus_allowed_list` of proc(5)), or 0 to `count` - 1 where nothing says so. */
export function allowedCpus(count: number): readonly number[] {
  const listed = readCpuList(/^Cpus_allowed_list:\s*(\S+)$/m.exec(ownStatus())?.[1] ?? '');
  return listed.length > 0 ? listed : Array.from({ length: count }, (_, cpu) => cpu);
}

function ownStatus(): string {
  try {
    return readFileSync('/proc/self/status', 'utf8');
  } catch {
    return '';
  }
}

/** Who else has a say in which CPUs a process may use. */
export const WHO_DECIDES = 'taskset, CPUAffinity= and control groups decide which they are';

/** Those of the workers' entries that this process may not use, each once. */
export function deniedCpus(
  cpuMap: readonly (readonly number[])[],
  workers: number,
  allowed: readonly number[],
): readonly number[] {
  const named = cpuMap.slice(0, workers).flat();
  return [...new Set(named)].filter(cpu => !allowed.includes(cpu));
}

/** As the kernel writes it: `0-3,8`. */
export function cpuList(cpus: readonly number[]): string {
  const ranges: [first: number, last: number][] = [];
  for (const cpu of [...cpus].sort((a, b) => a - b)) {
    const range = ranges.at(-1);
    if (range !== undefined && cpu === range[1] + 1) range[1] = cpu;
    else ranges.push([cpu, cpu]);
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',');
}
