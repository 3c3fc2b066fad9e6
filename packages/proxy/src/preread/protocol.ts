import type { Connect } from '../stages.ts';
import { answerFor, type Refusal } from './refusal.ts';

/** The protocol name and level at the head of a CONNECT, as far as the bytes tell. */
export type ProtocolStep =
  | { readonly kind: 'more' }
  | { readonly kind: 'bad'; readonly refusal: Refusal }
  | { readonly kind: 'protocol'; readonly version: Connect['version']; readonly bridge: boolean; readonly end: number };

const MORE: ProtocolStep = { kind: 'more' };
/** With their two bytes of length. The name fits its level: MQIsdp is 3.1 (level 3), MQTT is 3.1.1 and 5.0. */
const MQTT: Buffer = Buffer.from('\0\x04MQTT', 'latin1');
const MQISDP: Buffer = Buffer.from('\0\x06MQIsdp', 'latin1');
/** Set in the level by mosquitto's bridges, and by brokers that copied them; not in the specification. */
const BRIDGE = 0x80;

/**
 * Reads name and level at `at`, and says what is wrong with the first byte that is wrong.
 *
 * A name that is not exactly right is closed without an answer [MQTT-3.1.2-1]; a level that is not supported is
 * answered [MQTT-3.1.2-2]: 0x01, or 0x84 above 5, for such a client knows the CONNACK of 5.0. The bridge bit is legal
 * at levels 3 and 4. At 5 it is not, as in mosquitto: 5.0 has subscription options for what the bit asks.
 */
export function readProtocol(bytes: Buffer, at: number): ProtocolStep {
  const name = bytes[at + 1] === 6 ? MQISDP : MQTT;
  const present = Math.min(name.length, Math.max(bytes.length - at, 0));
  if (bytes.compare(name, 0, present, at, at + present) !== 0) {
    return bad('bad_protocol_name', 'the protocol name is neither MQTT nor MQIsdp', null);
  }
  const level = bytes[at + name.length];
  if (level === undefined) return MORE;
  const version = versionOf(name, level);
  if (version !== null) return { kind: 'protocol', version, bridge: level >= BRIDGE, end: at + name.length + 1 };
  // Told by the name as well: a client that says MQIsdp knows nothing of 5.0.
  const isNewer = name === MQTT && isAboveFive(level);
  const detail = `protocol level ${level} of ${name === MQTT ? 'MQTT' : 'MQIsdp'}`;
  return bad('unacceptable_version', detail, answerFor(isNewer ? 5 : 4, 'unacceptable_version'));
}

function versionOf(name: Buffer, level: number): Connect['version'] | null {
  if (name === MQISDP) return (level & ~BRIDGE) === 3 ? 3 : null;
  if (level === 5) return 5;
  return (level & ~BRIDGE) === 4 ? 4 : null;
}

function isAboveFive(level: number): boolean {
  return level > 5 && level !== (BRIDGE | 3);
}

function bad(reason: Refusal['reason'], detail: string, answer: Buffer | null): ProtocolStep {
  return { kind: 'bad', refusal: { reason, detail, answer } };
}
