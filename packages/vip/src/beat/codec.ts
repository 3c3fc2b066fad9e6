import { createHmac, timingSafeEqual } from 'node:crypto';
import { type Grade, maxFence } from '../pair/fence.ts';
import type { Role } from '../pair/state.ts';

/** One datagram between the two hosts. */
export interface Datagram {
  readonly role: Role;
  readonly ready: boolean;
  readonly wants: boolean;
  readonly grade: Grade;
  readonly priority: number;
  readonly fence: number;
  /** Of this start of the sender's program: random. */
  readonly boot: bigint;
  /** Grows with each datagram of a boot. */
  readonly sequence: number;
  /** What was heard last of the receiver; 0: nothing. */
  readonly echoBoot: bigint;
  readonly echoSequence: number;
  readonly deadMs: number;
  readonly leaseMs: number;
  /** The instance that both serve. */
  readonly name: string;
  /** The sender, as both have it in their files. */
  readonly node: string;
}

const MAGIC = Buffer.from('LPV1', 'latin1');
const MAC_BYTES = 32;
const FIXED_BYTES = 60;
const ROLES: readonly Role[] = ['starting', 'standby', 'active', 'leaving'];
/** Longer ones are not looked at. */
export const longestDatagram: number = FIXED_BYTES + 2 * 65 + MAC_BYTES;

/** HMAC-SHA256 over all that stands before it. */
export function encodeDatagram(datagram: Datagram, secret: Buffer): Buffer {
  const texts = [datagram.name, datagram.node].map(text => Buffer.from(text, 'latin1'));
  const head = Buffer.alloc(FIXED_BYTES);
  MAGIC.copy(head);
  head.writeUInt8(ROLES.indexOf(datagram.role), 4);
  head.writeUInt8((datagram.ready ? 1 : 0) | (datagram.wants ? 2 : 0), 5);
  head.writeUInt8(datagram.grade, 6);
  head.writeUInt8(datagram.priority, 7);
  head.writeBigUInt64BE(BigInt(datagram.fence), 8);
  head.writeBigUInt64BE(datagram.boot, 16);
  head.writeBigUInt64BE(BigInt(datagram.sequence), 24);
  head.writeBigUInt64BE(datagram.echoBoot, 32);
  head.writeBigUInt64BE(BigInt(datagram.echoSequence), 40);
  head.writeUInt32BE(datagram.deadMs, 48);
  head.writeUInt32BE(datagram.leaseMs, 52);
  texts.forEach((text, i) => {
    head.writeUInt8(text.length, 56 + i);
  });
  const body = Buffer.concat([head, ...texts]);
  return Buffer.concat([body, mac(body, secret)]);
}

/** Null: it is not one of ours, or not made with this secret. Nothing in it is looked at before that is known. */
export function decodeDatagram(bytes: Buffer, secret: Buffer): Datagram | null {
  if (bytes.length < FIXED_BYTES + MAC_BYTES || bytes.length > longestDatagram) return null;
  const body = bytes.subarray(0, bytes.length - MAC_BYTES);
  if (!timingSafeEqual(mac(body, secret), bytes.subarray(body.length))) return null;
  const role = ROLES[body.readUInt8(4)];
  const flags = body.readUInt8(5);
  const grade = body.readUInt8(6);
  const fence = Number(body.readBigUInt64BE(8));
  const lengths = [body.readUInt8(56), body.readUInt8(57)] as const;
  const isWhole = body.length === FIXED_BYTES + lengths[0] + lengths[1] && body.readUInt16BE(58) === 0;
  const isKnown = MAGIC.equals(body.subarray(0, 4)) && role !== undefined && flags < 4 && grade < 3;
  if (!isWhole || !isKnown || fence >= maxFence) return null;
  const nodeAt = FIXED_BYTES + lengths[0];
  return {
    role,
    ready: (flags & 1) !== 0,
    wants: (flags & 2) !== 0,
    grade: grade as Grade,
    priority: body.readUInt8(7),
    fence,
    boot: body.readBigUInt64BE(16),
    sequence: Number(body.readBigUInt64BE(24)),
    echoBoot: body.readBigUInt64BE(32),
    echoSequence: Number(body.readBigUInt64BE(40)),
    deadMs: body.readUInt32BE(48),
    leaseMs: body.readUInt32BE(52),
    name: body.toString('latin1', FIXED_BYTES, nodeAt),
    node: body.toString('latin1', nodeAt),
  };
}

function mac(body: Buffer, secret: Buffer): Buffer {
  return createHmac('sha256', secret).update(body).digest();
}
