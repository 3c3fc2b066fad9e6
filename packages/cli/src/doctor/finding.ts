/** How bad it is. `note`: good to know, or it could not be looked at; `warning`: it will hurt one day; `problem`: it hurts. */
export type Level = 'ok' | 'note' | 'warning' | 'problem';

/** What one check has found, and what to do about it. */
export interface Finding {
  /** `open files`: what was looked at. */
  readonly check: string;
  readonly level: Level;
  /** One sentence. It may hold what others have said (Redis, the kernel, a running proxy), unescaped. */
  readonly what: string;
  /** Commands or lines of a file, as they are to be typed, in their order. */
  readonly remedies: readonly string[];
}

/** The findings of one subject. */
export interface Findings {
  readonly ok: (what: string) => Finding;
  readonly note: (what: string, ...remedies: string[]) => Finding;
  readonly warning: (what: string, ...remedies: string[]) => Finding;
  readonly problem: (what: string, ...remedies: string[]) => Finding;
}

export function findings(check: string): Findings {
  const make =
    (level: Level) =>
    (what: string, ...remedies: string[]): Finding => ({ check, level, what, remedies });
  return { ok: make('ok'), note: make('note'), warning: make('warning'), problem: make('problem') };
}

export const SYSCTL = 'sysctl -w ';

/** For a value of the kernel, until the host starts anew; the report says how it is kept. */
export function sysctl(name: string, value: string | number): string {
  return `${SYSCTL}${name}=${typeof value === 'number' ? value : `"${value}"`}`;
}
