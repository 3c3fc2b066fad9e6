import type { Datagram } from './codec.ts';

/** Who we are in our own datagrams, and whom we listen to. */
export interface Ears {
  readonly name: string;
  readonly peer: string;
  /** Ours, of this start. */
  readonly boot: bigint;
}

/** What has been heard of the other host so far. */
export interface Hearing {
  /** The start of its program that has proved to be alive; null: none yet. */
  readonly boot: bigint | null;
  readonly sequence: number;
  /** Our highest number that it has answered. */
  readonly echoed: number;
}

export const deaf: Hearing = { boot: null, sequence: 0, echoed: 0 };

/**
 * - `heard`: it is the other host, now.
 * - `hello`: it may be, in a new start of its program, or a recording: it must first answer a number of ours.
 * - `old`: a recording, or a datagram that others have overtaken.
 * - `foreign`: another instance, or another host than the file names.
 */
export type Heard =
  | { readonly is: 'heard'; readonly hearing: Hearing; readonly isNew: boolean }
  | { readonly is: 'hello' }
  | { readonly is: 'old' }
  | { readonly is: 'foreign' };

/** How many of our datagrams ago an answer may be, to prove that a new start of the other host is alive. */
const freshEchoes = 64;

/**
 * Judges a datagram that carried the right HMAC. A start of the other host's program is believed once it has answered a
 * number that we sent in this start of ours, lately; from then on its numbers must grow. So a recording is worth nothing:
 * its start is not believed again, or its numbers are old.
 * @param sent how many datagrams we have sent in this start
 */
export function judgeDatagram(hearing: Hearing, datagram: Datagram, ears: Ears, sent: number): Heard {
  if (datagram.name !== ears.name || datagram.node !== ears.peer) return { is: 'foreign' };
  const isAnswer = datagram.echoBoot === ears.boot && datagram.echoSequence <= sent;
  const echoed = isAnswer ? datagram.echoSequence : 0;
  if (datagram.boot === hearing.boot) {
    if (datagram.sequence <= hearing.sequence) return { is: 'old' };
    const next = { ...hearing, sequence: datagram.sequence, echoed: Math.max(hearing.echoed, echoed) };
    return { is: 'heard', hearing: next, isNew: false };
  }
  if (!isAnswer || echoed <= sent - freshEchoes || echoed <= hearing.echoed) return { is: 'hello' };
  return { is: 'heard', hearing: { boot: datagram.boot, sequence: datagram.sequence, echoed }, isNew: true };
}
