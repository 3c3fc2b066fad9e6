import { constants, createHash } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { TlsBindConfig } from '../config/resolved.ts';
import { errorCode, LimpetError } from '../errors.ts';
import { type Certificate, parseAuthorities, parseCertificate, parseRevocations } from './certificate.ts';
import { readCertificateFiles, readText } from './certificate_files.ts';
import { NameIndex } from './sni.ts';
import { SESSION_LIFETIME_S, type TicketKeys } from './tickets.ts';

/** Whom a bind believes. The same for all its certificates. */
export interface Trust {
  readonly ca: readonly string[];
  readonly crl: readonly string[];
  /**
   * Names the terms under which a session was made: OpenSSL resumes it only under the same. So no session that began
   * without a certificate, under another authority or before a revocation gets past the check of certificates. The same
   * in all workers and proxies that have the same settings and files.
   */
  readonly sessionIdContext: string;
}

/** A certificate in use. */
export interface Served {
  readonly certificate: Certificate;
  readonly context: SecureContext;
}

/** All that a bind serves at one time. Never changed: a reload makes another one. */
export interface ServedSet {
  readonly trust: Trust;
  /** Not empty; the first is the default. */
  readonly all: readonly Served[];
  readonly byName: NameIndex<Served>;
}

/** OpenSSL takes 32 bytes. */
const SESSION_ID_CONTEXT_CHARACTERS = 32;

/**
 * Reads the authorities and revocation lists of a bind.
 * @throws LimpetError TLS_CLIENT_CA_MISSING, TLS_FILE_*, TLS_CERT_*, TLS_CRL_EMPTY
 */
export async function loadTrust(config: TlsBindConfig): Promise<Trust> {
  const { verify, clientCa, crl: crlPath } = config;
  if (verify !== 'none' && clientCa === null) {
    const remedy = 'Add `client_ca`, a PEM file of the authorities that sign the certificates of clients.';
    throw new LimpetError('TLS_CLIENT_CA_MISSING', `\`verify: ${verify}\` without \`client_ca\``, remedy);
  }
  const ca = verify === 'none' || clientCa === null ? [] : parseAuthorities(clientCa, await readText(clientCa));
  const crl = verify === 'none' || crlPath === null ? [] : parseRevocations(crlPath, await readText(crlPath));
  const digest = createHash('sha256')
    .update(JSON.stringify([verify, ca, crl]))
    .digest('hex');
  return { ca, crl, sessionIdContext: digest.slice(0, SESSION_ID_CONTEXT_CHARACTERS) };
}

/** One certificate of a bind: in use, or the reason why not. */
export interface LoadedCertificate {
  readonly path: string;
  readonly result: Certificate | LimpetError;
}

/** Reads every certificate of a bind. What is wrong with one is its result. */
export async function loadCertificates(config: TlsBindConfig): Promise<readonly LoadedCertificate[]> {
  const files = await readCertificateFiles(config.certs, config.key);
  return files.map(({ path, read }) => {
    if (read instanceof LimpetError) return { path, result: read };
    try {
      return { path, result: parseCertificate(read) };
    } catch (error) {
      if (error instanceof LimpetError) return { path, result: error };
      throw error;
    }
  });
}

/**
 * OpenSSL's context of a certificate.
 * @throws LimpetError TLS_CONTEXT_REFUSED where OpenSSL does not take what is well-formed (a key too small, a cipher unknown)
 */
export function makeContext(
  certificate: Certificate,
  config: TlsBindConfig,
  trust: Trust,
  tickets: TicketKeys,
): SecureContext {
  try {
    const context = createSecureContext({
      cert: certificate.certPem,
      key: certificate.keyPem,
      // Never undefined: that would stand for all authorities of the public web.
      ca: [...trust.ca],
      ...(trust.crl.length === 0 ? {} : { crl: [...trust.crl] }),
      minVersion: config.minVersion,
      maxVersion: config.maxVersion,
      ...(config.ciphers === null ? {} : { ciphers: config.ciphers }),
      ...(config.curves === null ? {} : { ecdhCurve: config.curves }),
      honorCipherOrder: true,
      // A client that renegotiates makes a server compute as often as it likes.
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
      sessionIdContext: trust.sessionIdContext,
      sessionTimeout: SESSION_LIFETIME_S,
    });
    tickets.serve(context);
    return context;
  } catch (error) {
    const what = `OpenSSL does not take the certificate in ${certificate.path} with these settings: ${errorCode(error)}`;
    const remedy = 'Check `ciphers`, `curves`, and the size and kind of the key.';
    throw new LimpetError('TLS_CONTEXT_REFUSED', what, remedy);
  }
}

export function servedSet(trust: Trust, all: readonly Served[]): ServedSet {
  const byName = new NameIndex<Served>();
  for (const served of all) byName.add(served.certificate.names, served);
  return { trust, all, byName };
}
