import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { errorCode, LimpetError } from '../errors.ts';
import type { CertificateText } from './certificate.ts';
import { isCertificate, isPrivateKey, pemBlocks } from './pem.ts';

/** One place of a certificate: what was read there, or why it could not be. */
export interface CertificateFile {
  readonly path: string;
  readonly read: CertificateText | LimpetError;
}

/** No certificate is longer; a folder may hold something else by mistake. */
const MAX_FILE_BYTES = 1_048_576;

/**
 * The text of a file.
 * @throws LimpetError TLS_FILE_UNREADABLE, TLS_FILE_TOO_LARGE
 */
export async function readText(path: string): Promise<string> {
  try {
    const status = await stat(path);
    if (status.size > MAX_FILE_BYTES) {
      const what = `${path} has ${status.size} bytes, which no certificate has`;
      throw new LimpetError('TLS_FILE_TOO_LARGE', what, `Name a file of ${MAX_FILE_BYTES} bytes at most.`);
    }
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof LimpetError) throw error;
    const remedy = 'Check that it exists, and that the user that runs Limpet may read it.';
    throw new LimpetError('TLS_FILE_UNREADABLE', `cannot read ${path}: ${errorCode(error)}`, remedy);
  }
}

/**
 * All certificates that a bind names, in its order; those of a folder by their names. What cannot be read is a value, so that
 * it does not keep the others from being read.
 */
export async function readCertificateFiles(
  certs: readonly string[],
  key: string | null,
): Promise<readonly CertificateFile[]> {
  const files: CertificateFile[] = [];
  for (const [index, path] of certs.entries()) {
    if (await isFolder(path)) files.push(...(await readFolder(path)));
    else files.push(await readOne(path, index === 0 ? key : null));
  }
  return files;
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

async function readOne(path: string, key: string | null): Promise<CertificateFile> {
  try {
    const text = await readText(path);
    return { path, read: { path, text, key: key === null ? null : { path: key, text: await readText(key) } } };
  } catch (error) {
    return { path, read: asLimpetError(error) };
  }
}

/**
 * Every file with a certificate and a key: in it, or beside it under the same name and `.key` (`tls.crt` and `tls.key` of a
 * Kubernetes secret; `site.pem` and `site.pem.key` of HAProxy). Hidden files, folders, keys alone and certificates
 * without any key (authorities) are passed over.
 */
async function readFolder(folder: string): Promise<readonly CertificateFile[]> {
  let names: readonly string[];
  try {
    names = (await readdir(folder)).filter(name => !name.startsWith('.')).sort();
  } catch (error) {
    const remedy = 'Check that the user that runs Limpet may read it.';
    const what = `cannot read the folder ${folder}: ${errorCode(error)}`;
    return [{ path: folder, read: new LimpetError('TLS_FILE_UNREADABLE', what, remedy) }];
  }
  const found: CertificateFile[] = [];
  for (const name of names) {
    if (await isFolder(join(folder, name))) continue;
    const file = await readInFolder(folder, name, names);
    if (file !== null) found.push(file);
  }
  return found;
}

async function readInFolder(folder: string, name: string, names: readonly string[]): Promise<CertificateFile | null> {
  const path = join(folder, name);
  const file = await readOne(path, null);
  if (file.read instanceof LimpetError) return file;
  const blocks = pemBlocks(file.read.text);
  if (!blocks.some(isCertificate)) return null;
  if (blocks.some(isPrivateKey)) return file;
  const stem = name.slice(0, name.length - extname(name).length);
  const keyName = [`${name}.key`, `${stem}.key`].find(candidate => candidate !== name && names.includes(candidate));
  return keyName === undefined ? null : readOne(path, join(folder, keyName));
}

function asLimpetError(error: unknown): LimpetError {
  return error instanceof LimpetError ? error : new LimpetError('TLS_FILE_UNREADABLE', errorCode(error), '');
}
