import { readFile } from 'node:fs/promises';

/** Where systems keep the authorities that they trust: Debian and Alpine, Fedora and RHEL, SUSE, BSD and others. */
const FILES: readonly string[] = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/** The authorities that this system trusts, as PEM; null: it has no such file, and Node's own list is the next best. */
export async function systemAuthorities(): Promise<readonly string[] | null> {
  for (const file of [process.env.SSL_CERT_FILE, ...FILES]) {
    if (file === undefined) continue;
    const text = await readFile(file, 'utf8').catch(() => null);
    if (text?.includes('-----BEGIN CERTIFICATE-----')) return [text];
  }
  return null;
}
