import type { Timer, TimerWheel } from '../clock.ts';
import type { Endpoint } from '../endpoint.ts';
import { type ConnackReading, readConnack } from './connack.ts';

type Accepted = Extract<ConnackReading, { kind: 'accepted' }>;

export type AuthEnd =
  /** The CONNACK and what came behind it; none of it has reached the client yet. Both sides are paused. */
  | { readonly kind: 'accepted'; readonly answer: Accepted; readonly bytes: Buffer }
  | { readonly kind: 'refused'; readonly code: number; readonly bytes: Buffer }
  /** A side went away, kept the other waiting, or sent what does not belong here. */
  | { readonly kind: 'broken' };

const AUTH = 0xf0;
/** More than any authentication method sends in one packet; a broker that sends more is cut off. */
const LONGEST_PACKET = 128 * 1024;

/**
 * MQTT 5.0 enhanced authentication (4.12): AUTH packets go both ways until the broker sends its CONNACK. They pass
 * untouched; only the broker's are looked at, for their type and length. `stepMs` is the deadline of each step.
 */
export function exchangeAuth(
  client: Endpoint,
  server: Endpoint,
  first: Buffer,
  stepMs: number,
  wheel: TimerWheel,
): Promise<AuthEnd> {
  return new Promise(resolve => {
    let waiting: Buffer = Buffer.alloc(0);
    let timer: Timer = wheel.after(stepMs, () => end({ kind: 'broken' }));
    let ended = false;

    const end = (how: AuthEnd): void => {
      if (ended) return;
      ended = true;
      timer.cancel();
      client.pause();
      server.pause();
      resolve(how);
    };
    const step = (): void => {
      timer.cancel();
      timer = wheel.after(stepMs, () => end({ kind: 'broken' }));
    };
    const fromServer = (chunk: Buffer): void => {
      waiting = waiting.length === 0 ? chunk : Buffer.concat([waiting, chunk]);
      for (;;) {
        const length = packetLength(waiting);
        if (length === null || waiting.length < length) break;
        if (waiting[0] !== AUTH) return end(answerOf(waiting));
        if (!client.write(waiting.subarray(0, length))) server.pause();
        waiting = waiting.subarray(length);
        step();
      }
      if (waiting.length > LONGEST_PACKET) end({ kind: 'broken' });
    };
    client.attach({
      bytes: chunk => {
        step();
        if (!server.write(chunk)) client.pause();
      },
      drained: () => server.resume(),
      ended: () => end({ kind: 'broken' }),
      closed: () => end({ kind: 'broken' }),
    });
    server.attach({
      bytes: fromServer,
      drained: () => client.resume(),
      ended: () => end({ kind: 'broken' }),
      closed: () => end({ kind: 'broken' }),
    });
    fromServer(first);
    if (ended) return;
    client.resume();
    server.resume();
  });
}

function answerOf(bytes: Buffer): AuthEnd {
  const reading = readConnack(bytes, 5);
  if (reading.kind === 'accepted') return { kind: 'accepted', answer: reading, bytes };
  if (reading.kind === 'refused') return { kind: 'refused', code: reading.code, bytes };
  return { kind: 'broken' };
}

/** The length of the packet that begins here, header included; null while that cannot be told. */
function packetLength(bytes: Buffer): number | null {
  let value = 0;
  for (let index = 1; index <= 4; index += 1) {
    const byte = bytes[index];
    if (byte === undefined) return null;
    value += (byte & 0x7f) * 128 ** (index - 1);
    if (byte < 0x80) return 1 + index + value;
  }
  return LONGEST_PACKET + 1;
}
