import { InvalidArgumentError } from 'commander';

/** What people write on the command line, as values. Each throws commander's error, which names the option. */

export interface ServerName {
  readonly backend: string;
  readonly server: string;
}

/** `emqx/emqx1`. */
export function serverName(text: string): ServerName {
  const parts = /^([^/]+)\/([^/]+)$/.exec(text);
  if (parts !== null) return { backend: parts[1] ?? '', server: parts[2] ?? '' };
  throw new InvalidArgumentError('Write BACKEND/SERVER, as in emqx/emqx1; limpet status lists them.');
}

/** `200/s`, or `200`: sessions a second. */
export function rate(text: string): number {
  const parts = /^(\d+(?:\.\d+)?)(?:\/(s|m|min|h))?$/.exec(text);
  const seconds = { s: 1, m: 60, min: 60, h: 3_600 }[parts?.[2] ?? 's'] ?? 1;
  const value = Number(parts?.[1] ?? 0) / seconds;
  if (value > 0 && value <= 1_000_000) return value;
  throw new InvalidArgumentError('Write sessions a second, as in 200/s (or a minute, as in 600/m), above 0.');
}

/** `5%`, as a part of one. */
export function share(text: string): number {
  const parts = /^(\d+(?:\.\d+)?)%$/.exec(text);
  const value = Number(parts?.[1] ?? Number.NaN) / 100;
  // Of 5 nobody knows whether it is 5 % or 500 %.
  if (value >= 0 && value <= 10) return value;
  throw new InvalidArgumentError('Write a percentage with its sign, as in 5%, at most 1000%.');
}

/** A whole number within bounds. */
export function whole(least: number, most: number): (text: string) => number {
  return text => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
  };
}

/** The same, or a word that means "none" or "as configured": null. */
export function wholeOr(word: string, least: number, most: number): (text: string) => number | null {
  return text => {
    if (text === word) return null;
    try {
      return whole(least, most)(text);
    } catch {
      throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}, or ${word}.`);
    }
  };
}
