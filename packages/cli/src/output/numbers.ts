/** Numbers as people read them. All of this is for terminals; `--json` has the numbers themselves. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `12 s`, `4 min 3 s`, `2 h 5 min`, `3 d 4 h`. */
export function duration(ms: number): string {
  const rest = Math.max(0, ms);
  if (rest < MINUTE) return `${Math.floor(rest / SECOND)} s`;
  const [big, small] = rest < HOUR ? [MINUTE, SECOND] : rest < DAY ? [HOUR, MINUTE] : [DAY, HOUR];
  const names: Readonly<Record<number, string>> = { [SECOND]: 's', [MINUTE]: 'min', [HOUR]: 'h', [DAY]: 'd' };
  const left = Math.floor((rest % big) / small);
  return `${Math.floor(rest / big)} ${names[big]}${left === 0 ? '' : ` ${left} ${names[small]}`}`;
}

/** `12s`, `4m03s`, `2h05m`, `3d04h`: where there is little room. */
export function shortDuration(ms: number): string {
  const rest = Math.max(0, ms);
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  if (rest < MINUTE) return `${Math.floor(rest / SECOND)}s`;
  if (rest < HOUR) return `${Math.floor(rest / MINUTE)}m${two((rest % MINUTE) / SECOND)}s`;
  if (rest < DAY) return `${Math.floor(rest / HOUR)}h${two((rest % HOUR) / MINUTE)}m`;
  return `${Math.floor(rest / DAY)}d${two((rest % DAY) / HOUR)}h`;
}

/** `1,234,567`. */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** `1 server`, `2 servers`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** `999 B`, `1.2 MB`: powers of 1000. */
export function bytes(value: number): string {
  let rest = Math.max(0, value);
  let unit = 0;
  while (rest >= 999.5 && unit < UNITS.length - 1) {
    rest /= 1000;
    unit++;
  }
  const digits = unit === 0 || rest >= 99.5 ? 0 : 1;
  return `${rest.toFixed(digits)} ${UNITS[unit]}`;
}

/** `33%`. */
export function percent(part: number, of: number): string {
  return of === 0 ? '-' : `${Math.round((100 * part) / of)}%`;
}

/** `2026-11-20 15:04:05`, in the time of this host. */
export function clock(atMs: number): string {
  const date = new Date(atMs);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')}`;
}
