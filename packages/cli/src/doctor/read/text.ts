import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A small file of the kernel's; null: it is not there, or may not be read. */
export function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/** The numbers in it, in their order; null where there is none. */
export function numbersOf(path: string): readonly number[] | null {
  const numbers = [...(textOf(path) ?? '').matchAll(/-?\d+/g)].map(Number);
  return numbers.length === 0 ? null : numbers;
}

export function numberOf(path: string): number | null {
  return numbersOf(path)?.[0] ?? null;
}

export interface Said {
  /** Null: it could not be started, or took too long. */
  readonly code: number | null;
  /** Both of its streams. */
  readonly text: string;
}

const PATIENCE_MS = 3_000;
/** Of what a program says only the beginning is of interest. */
const LONGEST_BYTES = 65_536;

/** What a program of this host says. Never rejects. */
export function said(program: string, ...args: readonly string[]): Promise<Said> {
  // Some of them live where only root looks.
  const env = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' };
  return new Promise(resolve => {
    execFile(program, args, { env, timeout: PATIENCE_MS, maxBuffer: LONGEST_BYTES }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
      resolve({ code, text: `${stdout}${stderr}` });
    });
  });
}
