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
