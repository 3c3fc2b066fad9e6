/**
 * The packets that the load sends, made once.
 */
import { generate, type Packet } from 'mqtt-packet';

/** A CONNECT of MQTT 3.1.1 with a clean session, as a small device sends it. */
export function connectPacket(clientId: string): Buffer {
  return bytesOf({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clean: true, clientId, keepalive: 60 });
}

/** A QoS 0 PUBLISH with a payload of that many bytes. */
export function publishPacket(payloadBytes: number): Buffer {
  const payload = Buffer.alloc(payloadBytes, 'x');
  return bytesOf({ cmd: 'publish', topic: 'bench/t', payload, qos: 0, dup: false, retain: false });
}

export const disconnectPacket: Buffer = Buffer.of(0xe0, 0);

/** What the sink answers to a CONNECT; anything else is a refusal. */
export const acceptedConnack: Buffer = Buffer.of(0x20, 2, 0, 0);

function bytesOf(packet: Packet): Buffer {
  return generate(packet);
}
