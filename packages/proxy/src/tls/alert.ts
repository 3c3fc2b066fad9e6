/**
 * TLS alerts that Limpet sends itself, because Node has no way to make OpenSSL send them: it lets every certificate
 * through and looks at it afterwards, when all that is left is to hang up. A device's log must say why.
 */
import { createCipheriv, createHmac } from 'node:crypto';

/** RFC 8446, section 6. */
const CODES = {
  bad_certificate: 42,
  unsupported_certificate: 43,
  certificate_revoked: 44,
  certificate_expired: 45,
  certificate_unknown: 46,
  unknown_ca: 48,
  decode_error: 50,
  decrypt_error: 51,
  unrecognized_name: 112,
  certificate_required: 116,
} as const;

export type Alert = keyof typeof CODES;

const FATAL = 2;
const ALERT_RECORD = 21;
const APPLICATION_RECORD = 23;
const TAG_BYTES = 16;

/** A fatal alert as a record without encryption: right until the server has sent its ChangeCipherSpec or ServerHello. */
export function plainAlert(alert: Alert): Buffer {
  return Buffer.from([ALERT_RECORD, 3, 3, 0, 2, FATAL, CODES[alert]]);
}

const SUITES: Readonly<
  Record<string, readonly [cipher: 'aes-128-gcm' | 'aes-256-gcm' | 'chacha20-poly1305', hash: string, keyBytes: number]>
> = {
  TLS_AES_128_GCM_SHA256: ['aes-128-gcm', 'sha256', 16],
  TLS_AES_256_GCM_SHA384: ['aes-256-gcm', 'sha384', 32],
  TLS_CHACHA20_POLY1305_SHA256: ['chacha20-poly1305', 'sha256', 32],
};

/**
 * A fatal alert as the very first record that a TLS 1.3 server sends under its application traffic secret
 * (RFC 8446, sections 5.2, 5.3 and 7.3: sequence number 0, so that the nonce is the vector itself). Null: a suite that
 * is not one of the three usual ones.
 */
export function sealedAlert(alert: Alert, suite: string, secret: Buffer): Buffer | null {
  const known = SUITES[suite];
  if (known === undefined) return null;
  const [cipher, hash, keyBytes] = known;
  const inner = Buffer.from([FATAL, CODES[alert], ALERT_RECORD]);
  const header = Buffer.from([APPLICATION_RECORD, 3, 3, 0, inner.length + TAG_BYTES]);
  const sealing = createCipheriv(
    cipher as 'aes-128-gcm',
    expand(hash, secret, 'key', keyBytes),
    expand(hash, secret, 'iv', 12),
    {
      authTagLength: TAG_BYTES,
    },
  );
  sealing.setAAD(header, { plaintextLength: inner.length });
  return Buffer.concat([header, sealing.update(inner), sealing.final(), sealing.getAuthTag()]);
}

/** HKDF-Expand-Label with an empty context (RFC 8446, 7.1), of at most one block of the hash. */
function expand(hash: string, secret: Buffer, label: string, bytes: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`);
  const info = Buffer.concat([Buffer.from([0, bytes, name.length]), name, Buffer.from([0, 1])]);
  return createHmac(hash, secret).update(info).digest().subarray(0, bytes);
}

/** The same choice as OpenSSL's own (ssl_x509err2alert). */
const ALERT_OF: Readonly<Record<string, Alert>> = {
  CERT_HAS_EXPIRED: 'certificate_expired',
  CRL_HAS_EXPIRED: 'certificate_expired',
  CERT_REVOKED: 'certificate_revoked',
  CERT_NOT_YET_VALID: 'bad_certificate',
  CRL_NOT_YET_VALID: 'bad_certificate',
  CERT_UNTRUSTED: 'bad_certificate',
  CERT_REJECTED: 'bad_certificate',
  CERT_SIGNATURE_FAILURE: 'decrypt_error',
  CRL_SIGNATURE_FAILURE: 'decrypt_error',
  INVALID_PURPOSE: 'unsupported_certificate',
  INVALID_CA: 'unknown_ca',
  CERT_CHAIN_TOO_LONG: 'unknown_ca',
  PATH_LENGTH_EXCEEDED: 'unknown_ca',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'unknown_ca',
  SELF_SIGNED_CERT_IN_CHAIN: 'unknown_ca',
  UNABLE_TO_GET_CRL: 'unknown_ca',
  UNABLE_TO_GET_ISSUER_CERT: 'unknown_ca',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'unknown_ca',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'unknown_ca',
};

/** The alert that fits OpenSSL's name of what is wrong with a certificate. */
export function alertOf(verifyCode: string): Alert {
  return ALERT_OF[verifyCode] ?? 'certificate_unknown';
}
