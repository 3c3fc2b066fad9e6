import type { TlsFacts } from '../stages.ts';

/** PROXY protocol, section 2.2.6: the TLV of TLS, and what stands inside it. */
const PP2_TYPE_SSL = 0x20;
const PP2_SUBTYPE_SSL_VERSION = 0x21;
const PP2_SUBTYPE_SSL_CN = 0x22;
/** Bits of its `client` field: TLS was spoken, a certificate came over this connection, or over its TLS session. */
const PP2_CLIENT_SSL = 0x01;
const PP2_CLIENT_CERT_CONN = 0x02;
const PP2_CLIENT_CERT_SESS = 0x04;
/** Its `verify` field: OpenSSL's X509_V_OK, and X509_V_ERR_UNSPECIFIED where all that is known is that it was not good. */
const VERIFIED = 0;
const NOT_VERIFIED = 1;
/** X.520 gives a common name 64 characters, and one has 4 bytes at most. */
const MAX_CN_BYTES = 256;

/** Section 2.2: `struct pp2_tlv`. */
export function tlv(type: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type, value.length >> 8, value.length & 0xff]), value]);
}

/**
 * The TLV of TLS as HAProxy's `send-proxy-v2-ssl` writes it, and with a common name as `send-proxy-v2-ssl-cn`: version,
 * then name. Without TLS all of it is 0; `verify` is 0 without a certificate too.
 */
export function sslTlv(tls: TlsFacts | null, withCn: boolean): Buffer {
  const certificate = tls?.clientCert ?? null;
  const fixed = Buffer.alloc(5);
  fixed[0] = clientFlags(tls);
  fixed.writeUInt32BE(certificate?.verified === false ? NOT_VERIFIED : VERIFIED, 1);
  const parts: Buffer[] = [fixed];
  if (tls !== null) parts.push(tlv(PP2_SUBTYPE_SSL_VERSION, Buffer.from(tls.version, 'latin1')));
  const cn = withCn ? commonName(tls) : null;
  if (cn !== null) parts.push(tlv(PP2_SUBTYPE_SSL_CN, cn));
  return tlv(PP2_TYPE_SSL, Buffer.concat(parts));
}

/** A resumed session has its certificate from the handshake that began it: it did not come over this connection. */
function clientFlags(tls: TlsFacts | null): number {
  if (tls === null) return 0;
  if (tls.clientCert === null) return PP2_CLIENT_SSL;
  return PP2_CLIENT_SSL | PP2_CLIENT_CERT_SESS | (tls.resumed ? 0 : PP2_CLIENT_CERT_CONN);
}

/**
 * The name in UTF-8 (section 2.2.6). Left out are: the name in a certificate that nobody has verified, for brokers that
 * log clients in by name do not look at `verify`; one with control characters, for which EMQX closes the connection;
 * and one that is empty or too long.
 */
function commonName(tls: TlsFacts | null): Buffer | null {
  const certificate = tls?.clientCert ?? null;
  if (certificate === null || !certificate.verified || certificate.cn === null) return null;
  if (/\p{Cc}/u.test(certificate.cn)) return null;
  const bytes = Buffer.from(certificate.cn);
  return bytes.length === 0 || bytes.length > MAX_CN_BYTES ? null : bytes;
}
