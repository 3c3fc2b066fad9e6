import type { WriteStream } from 'node:tty';

/** What a word means, not how it looks. */
export type Tone = 'good' | 'bad' | 'warn' | 'dim' | 'strong' | 'plain';

export type Paint = (tone: Tone, text: string) => string;

const CODES: Readonly<Record<Exclude<Tone, 'plain'>, readonly [on: number, off: number]>> = {
  good: [32, 39],
  bad: [31, 39],
  warn: [33, 39],
  dim: [2, 22],
  strong: [1, 22],
};

export const PLAIN: Paint = (_tone, text) => text;

const coloured: Paint = (tone, text) => {
  if (tone === 'plain' || text === '') return text;
  const [on, off] = CODES[tone];
  return `\x1b[${on}m${text}\x1b[${off}m`;
};

/** Colours, where the stream is a terminal that has them and nobody said NO_COLOR. */
export function paintFor(
  stream: Pick<WriteStream, 'isTTY'> & Partial<Pick<WriteStream, 'hasColors'>>,
  env: NodeJS.ProcessEnv,
): Paint {
  if (stream.isTTY !== true || env.NO_COLOR || env.TERM === 'dumb') return PLAIN;
  return stream.hasColors?.(8) === false ? PLAIN : coloured;
}
