import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { LimpetError } from '../errors.ts';
import { isCertificate, isCrl, isPrivateKey, type PemBlock, pemBlocks } from './pem.ts';

/** The texts that one certificate is made of. */
export interface CertificateText {
  /** The file of the certificate: errors name it. */
  readonly path: string;
  readonly text: string;
  /** The text of a key file beside it, and its path; null: the key is in `text`. */
  readonly key: { readonly path: string; readonly text: string } | null;
}

/** A certificate that can be served: it fits its key. */
export interface Certificate {
  readonly path: string;
  /** Leaf first, then the chain, each signed by the next. */
  readonly certPem: string;
  readonly keyPem: string;
  /** DNS names of the subject alternative name and the common name, in lower case. */
  readonly names: readonly string[];
  readonly validToMs: number;
}

/**
 * Makes a certificate of a bundle: certificate, chain and key in any order. The leaf is the one that fits the key.
 * @throws LimpetError TLS_CERT_EMPTY, TLS_CERT_UNREADABLE, TLS_KEY_MISSING, TLS_KEY_UNREADABLE, TLS_KEY_MISMATCH
 */
export function parseCertificate(source: CertificateText): Certificate {
  const blocks = pemBlocks(source.text);
  const certificates = blocks.filter(isCertificate).map(block => readX509(block, source.path));
  if (certificates.length === 0) throw noCertificate(source.path);
  const keyPath = source.key?.path ?? source.path;
  const keyBlock = (source.key === null ? blocks : pemBlocks(source.key.text)).find(isPrivateKey);
  if (keyBlock === undefined) throw noKey(source.path, keyPath);
  const key = readKey(keyBlock, keyPath);
  const leaf = certificates.find(certificate => certificate.checkPrivateKey(key));
  if (leaf === undefined) throw mismatch(source.path, keyPath);
  return {
    path: source.path,
    certPem: chainOf(leaf, certificates).map(String).join(''),
    keyPem: keyBlock.text,
    names: namesOf(leaf),
    validToMs: Date.parse(leaf.validTo),
  };
}

/**
 * Certificates of authorities, each as a block.
 * @throws LimpetError TLS_CERT_EMPTY, TLS_CERT_UNREADABLE
 */
export function parseAuthorities(path: string, text: string): readonly string[] {
  const blocks = pemBlocks(text).filter(isCertificate);
  if (blocks.length === 0) throw noCertificate(path);
  return blocks.map(block => String(readX509(block, path)));
}

/**
 * Revocation lists, each as a block: OpenSSL, as Node calls it, reads one of a text only.
 * @throws LimpetError TLS_CRL_EMPTY
 */
export function parseRevocations(path: string, text: string): readonly string[] {
  const blocks = pemBlocks(text).filter(isCrl);
  if (blocks.length > 0) return blocks.map(block => block.text);
  throw new LimpetError('TLS_CRL_EMPTY', `${path} holds no certificate revocation list`, 'Name a file in PEM format.');
}

function readX509(block: PemBlock, path: string): X509Certificate {
  try {
    return new X509Certificate(block.text);
  } catch (cause) {
    const what = `${path} holds a certificate that cannot be read`;
    throw new LimpetError('TLS_CERT_UNREADABLE', what, 'Look at it with `openssl x509 -noout -text`.', { cause });
  }
}

/** OpenSSL's own error is not passed on: nothing of a key belongs into a log. */
function readKey(block: PemBlock, path: string): KeyObject {
  try {
    return createPrivateKey(block.text);
  } catch {
    const isLocked = block.label.startsWith('ENCRYPTED') || block.text.includes('Proc-Type: 4,ENCRYPTED');
    const what = isLocked ? `the private key in ${path} has a passphrase` : `the private key in ${path} cannot be read`;
    const remedy = isLocked
      ? 'Write it without one: `openssl pkey -in KEY -out NEW`.'
      : 'Look at it with `openssl pkey -check`.';
    throw new LimpetError('TLS_KEY_UNREADABLE', what, remedy);
  }
}

/** The leaf, its issuer, the issuer's issuer…; then what is left over, for clients that know another way up. */
function chainOf(leaf: X509Certificate, all: readonly X509Certificate[]): readonly X509Certificate[] {
  const chain = [leaf];
  const left = new Set(all);
  left.delete(leaf);
  for (let last = leaf; ; ) {
    const issuer = [...left].find(candidate => last.checkIssued(candidate));
    if (issuer === undefined) break;
    left.delete(issuer);
    chain.push(issuer);
    last = issuer;
  }
  return [...chain, ...left];
}

/** Node prints `DNS:a.example, DNS:*.b.example, IP Address:…`; a name that it has to quote is no host name. */
function namesOf(leaf: X509Certificate): readonly string[] {
  const alternatives = (leaf.subjectAltName ?? '').split(', ').flatMap(entry => /^DNS:([^"]+)$/.exec(entry)?.[1] ?? []);
  const common = leaf.subject.split('\n').flatMap(line => /^CN=(.+)$/.exec(line)?.[1] ?? []);
  return [...new Set([...alternatives, ...common].map(name => name.toLowerCase()))];
}

function noCertificate(path: string): LimpetError {
  const remedy = 'Name a file in PEM format: certificate, chain and key.';
  return new LimpetError('TLS_CERT_EMPTY', `${path} holds no certificate`, remedy);
}

function noKey(path: string, keyPath: string): LimpetError {
  const what = path === keyPath ? `${path} holds a certificate but no private key` : `${keyPath} holds no private key`;
  return new LimpetError('TLS_KEY_MISSING', what, 'Put the key into the same file, or name its file under `key`.');
}

function mismatch(path: string, keyPath: string): LimpetError {
  const where = path === keyPath ? 'its own private key' : `the private key in ${keyPath}`;
  const remedy = 'Install certificate and key of the same pair.';
  return new LimpetError('TLS_KEY_MISMATCH', `the certificate in ${path} does not fit ${where}`, remedy);
}
