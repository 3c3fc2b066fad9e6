import { TextDecoder } from 'node:util';
import { crc32c } from './crc32c.ts';
import { NO_FACTS, type ProxyFacts, type ProxySsl } from './proxy_header.ts';

/** "The PROXY protocol", section 2.2: types of TLVs and of those inside PP2_TYPE_SSL. */
const ALPN = 0x01;
const AUTHORITY = 0x02;
const CRC32C = 0x03;
const UNIQUE_ID = 0x05;
const SSL = 0x20;
const SSL_VERSION = 0x21;
const SSL_CN = 0x22;
const SSL_CIPHER = 0x23;
const NETNS = 0x30;
/** Two values would leave open which one counts. Others may be repeated, and are passed over (ALPN and NETNS too). */
const ONCE: ReadonlySet<number> = new Set([ALPN, AUTHORITY, CRC32C, UNIQUE_ID, SSL, NETNS]);

const CLIENT_SSL = 0x01;
const CLIENT_CERT_CONN = 0x02;
const CLIENT_CERT_SESS = 0x04;

/** `struct pp2_tlv`: type, and the value's length in network order. */
const TLV_HEAD_BYTES = 3;
/** `struct pp2_tlv_ssl`: client, verify. */
const SSL_HEAD_BYTES = 5;
/** Section 2.2.5. */
const MAX_UNIQUE_ID_BYTES = 128;
/** A host name cannot be longer (RFC 1035, section 2.3.4). */
const MAX_AUTHORITY_BYTES = 255;

const UTF8: TextDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What the TLVs say, or in words what is wrong with them. */
export type TlvReading = { readonly kind: 'facts'; readonly facts: ProxyFacts } | Bad;
interface Bad {
  readonly kind: 'bad';
  readonly detail: string;
}

/**
 * Reads the TLVs of a whole header of version 2, which begin at `start`. Every length must fit exactly; the checksum,
 * where there is one, is verified (2.2.3); texts must be UTF-8 without control characters, as some brokers demand.
 */
export function readTlvs(header: Buffer, start: number): TlvReading {
  const tlvs = walk(header, start, ONCE);
  if (tlvs === null) return bad('a TLV does not fit, or is there twice');
  if (!isChecksumRight(header, tlvs.get(CRC32C))) return bad('the checksum is wrong');
  const uniqueId = tlvs.get(UNIQUE_ID);
  if (uniqueId !== undefined && uniqueId.length > MAX_UNIQUE_ID_BYTES) return bad('the unique id is too long');
  const authority = text(tlvs.get(AUTHORITY), MAX_AUTHORITY_BYTES);
  if (authority === 'bad') return bad('the authority is no host name');
  const ssl = readSsl(tlvs.get(SSL));
  if (ssl === 'bad') return bad('the SSL TLV is malformed, or a text in it has control characters');
  if (authority === null && ssl === null && uniqueId === undefined) return { kind: 'facts', facts: NO_FACTS };
  return {
    kind: 'facts',
    facts: { authority: authority?.value ?? null, uniqueId: uniqueId ? nameOf(uniqueId) : null, ssl },
  };
}

function bad(detail: string): Bad {
  return { kind: 'bad', detail };
}

/** Type → value, the last one where several are allowed. Null: the lengths do not fit, or one of `once` is there twice. */
function walk(bytes: Buffer, start: number, once: ReadonlySet<number>): Map<number, Buffer> | null {
  const tlvs = new Map<number, Buffer>();
  let at = start;
  while (at < bytes.length) {
    if (at + TLV_HEAD_BYTES > bytes.length) return null;
    const type = bytes.readUInt8(at);
    const end = at + TLV_HEAD_BYTES + bytes.readUInt16BE(at + 1);
    if (end > bytes.length || (once.has(type) && tlvs.has(type))) return null;
    tlvs.set(type, bytes.subarray(at + TLV_HEAD_BYTES, end));
    at = end;
  }
  return tlvs;
}

/** Section 2.2.3: over the whole header, the checksum itself as zeros. */
function isChecksumRight(header: Buffer, checksum: Buffer | undefined): boolean {
  if (checksum === undefined) return true;
  if (checksum.length !== 4) return false;
  const at = checksum.byteOffset - header.byteOffset;
  return checksum.readUInt32BE(0) === crc32c(header.subarray(0, at), new Uint8Array(4), header.subarray(at + 4));
}

/** Section 2.2.6. */
function readSsl(value: Buffer | undefined): ProxySsl | null | 'bad' {
  if (value === undefined) return null;
  if (value.length < SSL_HEAD_BYTES) return 'bad';
  const tlvs = walk(value, SSL_HEAD_BYTES, new Set([SSL_VERSION, SSL_CN, SSL_CIPHER]));
  if (tlvs === null) return 'bad';
  const client = value.readUInt8(0);
  const [version, cipher, cn] = [text(tlvs.get(SSL_VERSION)), text(tlvs.get(SSL_CIPHER)), text(tlvs.get(SSL_CN))];
  if (version === 'bad' || cipher === 'bad' || cn === 'bad') return 'bad';
  // HAProxy sends the TLV for plain clients too.
  if ((client & CLIENT_SSL) === 0) return null;
  const hasCert = (client & (CLIENT_CERT_CONN | CLIENT_CERT_SESS)) !== 0;
  return {
    version: version?.value ?? null,
    cipher: cipher?.value ?? null,
    cn: cn?.value ?? null,
    certInConnection: (client & CLIENT_CERT_CONN) !== 0,
    certInSession: (client & CLIENT_CERT_SESS) !== 0,
    // HAProxy says 0 where there is no certificate at all.
    isVerified: hasCert && value.readUInt32BE(1) === 0,
  };
}

/** Null where it is missing or empty. */
function text(
  value: Buffer | undefined,
  mostBytes: number = Number.POSITIVE_INFINITY,
): { value: string } | null | 'bad' {
  if (value === undefined || value.length === 0) return null;
  if (value.length > mostBytes) return 'bad';
  try {
    const decoded = UTF8.decode(value);
    return /\p{Cc}/u.test(decoded) ? 'bad' : { value: decoded };
  } catch {
    return 'bad';
  }
}

/** Opaque bytes, in words that may be logged. */
function nameOf(uniqueId: Buffer): string {
  const name = uniqueId.toString('latin1');
  return /^[\x21-\x7e]*$/.test(name) ? name : `hex:${uniqueId.toString('hex')}`;
}
