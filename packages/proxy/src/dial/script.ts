import { type ConnackReading, readConnack } from './connack.ts';

/** What a broker's first packet said; `none` where nothing is asked (mode tcp). */
export type Answer = Exclude<ConnackReading, { kind: 'more' } | { kind: 'bad' }> | { readonly kind: 'none' };

export type ScriptStep =
  | { readonly kind: 'more' }
  /** Write this, and go on reading. */
  | { readonly kind: 'say'; readonly bytes: Buffer }
  /** `toClient`: what was received and belongs to the client, the answer itself included; `mqtt`: the same, unwrapped. */
  | { readonly kind: 'answered'; readonly answer: Answer; readonly toClient: Buffer; readonly mqtt: Buffer }
  /** Not what a broker answers. */
  | { readonly kind: 'bad'; readonly detail: string };

/** What is said to a broker, and how its answer is read. One script serves one attempt. */
export interface DialScript {
  /** Said as soon as the stream is open. */
  readonly first: Buffer;
  /** Nothing is waited for: the stream is the client's as soon as it is open. */
  readonly isSilent: boolean;
  read(chunk: Buffer): ScriptStep;
}

/** MQTT: the CONNECT and what came behind it, as it came; then the broker's first packet. */
export function mqttScript(first: Buffer, version: 3 | 4 | 5): DialScript {
  let received: Buffer | null = null;
  return {
    first,
    isSilent: false,
    read(chunk) {
      received = received === null ? chunk : Buffer.concat([received, chunk]);
      const reading = readConnack(received, version);
      if (reading.kind === 'more' || reading.kind === 'bad') return reading;
      return { kind: 'answered', answer: reading, toClient: received, mqtt: received };
    },
  };
}

/** mode tcp: the client's first bytes, if any. Many servers speak first, so nothing is waited for. */
export function tcpScript(first: Buffer): DialScript {
  return { first, isSilent: true, read: () => ({ kind: 'more' }) };
}
