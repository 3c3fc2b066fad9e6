import type { Connect } from '../stages.ts';

/** Why a client was refused before it had a broker: one word for logs and counters. */
export type RefusalReason =
  /** The first bytes are nothing that is known here. */
  | 'not_mqtt'
  | 'tls_on_plain_port'
  | 'http'
  /** A PROXY protocol header where none is expected. */
  | 'proxy_header'
  /** An MQTT packet, but not CONNECT. */
  | 'other_packet'
  | 'bad_protocol_name'
  | 'unacceptable_version'
  | 'malformed'
  | 'identifier_rejected'
  /** Longer than `max_connect_size`. */
  | 'too_large'
  /** Not whole within `timeout.inspect`. */
  | 'too_late'
  /** The client left before its CONNECT was whole. */
  | 'closed_early'
  /** `global.preread_memory` is used up. */
  | 'preread_memory';

/** A client's end before it had a broker. */
export interface Refusal {
  readonly reason: RefusalReason;
  /** For the log; holds no byte of the client but as hexadecimal digits. */
  readonly detail: string;
  /** What the client is told before its connection is closed; null: nothing. */
  readonly answer: Buffer | null;
}

/** What Limpet itself may have to tell a client whose CONNECT is legal. */
export type ServiceWord = 'server_unavailable' | 'busy' | 'quota';
type AnswerWord = ServiceWord | 'unacceptable_version' | 'identifier_rejected' | 'malformed' | 'too_large';

/**
 * The CONNACK codes: 3.1.1 table 3.1 and 5.0 table 3-1. In 3.x a malformed CONNECT is closed without a CONNACK
 * [MQTT-3.1.4-1 of 3.1.1], and there is no code for quota or busy but "server unavailable".
 */
const CODES: Readonly<Record<AnswerWord, { readonly v3: number | null; readonly v5: number }>> = {
  unacceptable_version: { v3: 0x01, v5: 0x84 },
  identifier_rejected: { v3: 0x02, v5: 0x85 },
  server_unavailable: { v3: 0x03, v5: 0x88 },
  busy: { v3: 0x03, v5: 0x89 },
  quota: { v3: 0x03, v5: 0x97 },
  malformed: { v3: null, v5: 0x81 },
  too_large: { v3: null, v5: 0x95 },
};

/** The CONNACK that turns a client away for a reason of ours: 3.x 0x03; 5.0 0x88, 0x89 or 0x97. */
export function refuse(version: Connect['version'], word: ServiceWord): Buffer {
  return version === 5 ? connack5(CODES[word].v5) : connack3(CODES[word].v3 ?? 0x03);
}

/** A CONNACK with that code (0x01 to 0x05 in 3.x, a 5.0 reason code else). */
export function connack(version: Connect['version'], code: number): Buffer {
  return version === 5 ? connack5(code) : connack3(code);
}

/** The CONNACK for a refused CONNECT. Null where the specification allows none, or where the version is not known. */
export function answerFor(version: Connect['version'] | null, word: AnswerWord): Buffer | null {
  if (version === null) return null;
  if (version === 5) return connack5(CODES[word].v5);
  const code = CODES[word].v3;
  return code === null ? null : connack3(code);
}

export function malformed(version: Connect['version'] | null, detail: string): Refusal {
  return { reason: 'malformed', detail, answer: answerFor(version, 'malformed') };
}

/** The worker has no memory left for this CONNECT: its client, where its version is known, may come again. */
export function refusePreread(version: Connect['version'] | null, detail: string): Refusal {
  return { reason: 'preread_memory', detail, answer: answerFor(version, 'busy') };
}

/** Two bytes follow the length: flags, return code (3.1.1, 3.2). */
function connack3(code: number): Buffer {
  return Buffer.from([0x20, 2, 0, code]);
}

/** Flags, reason code, an empty property section (5.0, 3.2.2). */
function connack5(code: number): Buffer {
  return Buffer.from([0x20, 3, 0, code, 0]);
}
