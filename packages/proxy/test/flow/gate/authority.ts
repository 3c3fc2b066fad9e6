/**
 * A certificate authority of a test's own, and certificates of it, made by the `openssl` program.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { type Directory, makeDirectory } from '../../kit/directory.ts';

const run = promisify(execFile);

export interface Authority extends AsyncDisposable {
  readonly caFile: string;
  /** Certificate and key in one file, as HAProxy wants it; its common name and one DNS name are `name`. */
  issue(name: string): Promise<string>;
}

export async function makeAuthority(): Promise<Authority> {
  const directory = await makeDirectory('authority');
  const [key, caFile] = [directory.file('ca.key'), directory.file('ca.pem')];
  await openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', [
    ...['-subj', '/CN=Authority', '-keyout', key, '-out', caFile],
  ]);
  return {
    caFile,
    issue: name => issue(directory, name, key, caFile),
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}

async function issue(directory: Directory, name: string, caKey: string, caFile: string): Promise<string> {
  const file = directory.file(`${name}.pem`);
  await openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', [
    ...[
      '-subj',
      `/CN=${name}`,
      '-addext',
      `subjectAltName=DNS:${name}`,
      '-addext',
      'basicConstraints=critical,CA:FALSE',
    ],
    ...['-CA', caFile, '-CAkey', caKey, '-keyout', `${file}.key`, '-out', `${file}.crt`],
  ]);
  return directory.write(`${name}.pem`, readFileSync(`${file}.crt`, 'utf8') + readFileSync(`${file}.key`, 'utf8'));
}

async function openssl(...args: readonly (string | readonly string[])[]): Promise<void> {
  await run('openssl', args.flat());
}
