import { crc32c } from '../../../src/gate/crc32c.ts';

/** "The PROXY protocol", section 2.2. */
const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');

export const V4_BLOCK: Buffer = Buffer.from('c0000201c6336402c350075b', 'hex');
export const V6_BLOCK: Buffer = Buffer.from(
  `20010db8000000000000000000000001${'20010db8000000000000000000000002'}c350075b`,
  'hex',
);

export function tlv(type: number, value: Buffer | string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([type, bytes.length >> 8, bytes.length & 0xff]), bytes]);
}

export function v2(command: number, family: number, ...parts: readonly Buffer[]): Buffer {
  const block = Buffer.concat(parts);
  return Buffer.concat([SIGNATURE, Buffer.from([command, family, block.length >> 8, block.length & 0xff]), block]);
}

export function sslTlv(client: number, verify: number, ...subTlvs: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(client, 0);
  head.writeUInt32BE(verify, 1);
  return tlv(0x20, Buffer.concat([head, ...subTlvs]));
}

/** The header with its checksum, which must be its last TLV, filled in. */
export function withChecksum(header: Buffer): Buffer {
  const whole = Buffer.from(header);
  whole.writeUInt32BE(0, whole.length - 4);
  whole.writeUInt32BE(crc32c(whole), whole.length - 4);
  return whole;
}
