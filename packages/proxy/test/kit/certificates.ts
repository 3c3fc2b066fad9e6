/**
 * Certificates by the `openssl` program: an authority of a test's own, what it signs, and what it has revoked.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { type Directory, makeDirectory } from './directory.ts';

const run = promisify(execFile);

export interface IssueOptions {
  /** The common name; null: none. */
  readonly cn: string | null;
  /** DNS names, and addresses as `IP:127.0.0.1`. */
  readonly names?: readonly string[];
  /** The whole subject instead, as `openssl -subj` wants it: `/CN=a/CN=b`. */
  readonly subject?: string;
  /** Default: a day ago. */
  readonly validFrom?: Date;
  /** Default: in a year. */
  readonly validTo?: Date;
  /** Default: `ec` (P-256). */
  readonly key?: 'ec' | 'rsa';
  /** Default: both. */
  readonly usage?: 'clientAuth' | 'serverAuth';
  /** May sign others. */
  readonly isAuthority?: boolean;
}

/** Paths of PEM files. */
export interface Issued {
  readonly cert: string;
  readonly key: string;
  /** Certificate and key in one, as HAProxy wants it. */
  readonly bundle: string;
}

const DAY_MS = 86_400_000;
const KEYS: Readonly<Record<'ec' | 'rsa', readonly string[]>> = {
  ec: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  rsa: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
};

/** An authority with an empty list of what it has revoked. */
export async function makeAuthority(cn = 'Limpet Test CA'): Promise<Authority> {
  const directory = await makeDirectory('ca');
  try {
    await makeKey(directory, 'ca', 'ec');
    const given = ['-new', '-x509', '-key', directory.file('ca.key'), '-days', '3650', '-subj', `/CN=${cn}`];
    await openssl(directory, ['req', ...given, '-out', directory.file('ca.pem')]);
    const authority = new Authority(directory, 'ca');
    await authority.revoke();
    return authority;
  } catch (error) {
    await directory[Symbol.asyncDispose]();
    throw error;
  }
}

/** Disposing of it removes everything that it made. */
export class Authority implements AsyncDisposable {
  /** Its own certificate. */
  readonly ca: string;
  /** The list of what it has revoked. */
  readonly crl: string;
  readonly #directory: Directory;
  readonly #name: string;
  #issued = 0;

  constructor(directory: Directory, name: string) {
    this.#directory = directory;
    this.#name = name;
    this.ca = directory.file(`${name}.pem`);
    this.crl = directory.file(`${name}.crl`);
    directory.write(`${name}.index`, '');
    directory.write(`${name}.index.attr`, 'unique_subject = no\n');
    directory.write(`${name}.serial`, '01\n');
    directory.write(`${name}.crlnumber`, '01\n');
  }

  /** A new key and its certificate. */
  async issue(options: IssueOptions): Promise<Issued> {
    this.#issued += 1;
    const name = `${this.#name}-${this.#issued}`;
    const file = (suffix: string): string => this.#directory.file(`${name}.${suffix}`);
    await makeKey(this.#directory, name, options.key ?? 'ec');
    const subject = options.subject ?? (options.cn === null ? '/' : `/CN=${options.cn}`);
    await openssl(this.#directory, ['req', '-new', '-key', file('key'), '-subj', subject, '-out', file('csr')]);
    const from = options.validFrom ?? new Date(Date.now() - DAY_MS);
    const to = options.validTo ?? new Date(Date.now() + 365 * DAY_MS);
    this.#directory.write(`${name}.ext`, extensions(options));
    const signing = ['-in', file('csr'), '-out', file('pem'), '-startdate', asn1(from), '-enddate', asn1(to)];
    await this.#sign([...signing, '-extfile', file('ext'), '-notext', '-batch']);
    const bundle = `${readFileSync(file('pem'), 'utf8')}${readFileSync(file('key'), 'utf8')}`;
    return { cert: file('pem'), key: file('key'), bundle: this.#directory.write(`${name}.bundle.pem`, bundle) };
  }

  /** An authority below this one, in the same folder. */
  async subordinate(cn: string): Promise<Authority> {
    const { cert, key } = await this.issue({ cn, isAuthority: true });
    const name = `${this.#name}-sub-${this.#issued}`;
    this.#directory.write(`${name}.pem`, readFileSync(cert, 'utf8'));
    this.#directory.write(`${name}.key`, readFileSync(key, 'utf8'));
    const authority = new Authority(this.#directory, name);
    await authority.revoke();
    return authority;
  }

  /** Writes a new list of what is revoked, with this added to it. */
  async revoke(issued: Issued | null = null): Promise<void> {
    if (issued !== null) await this.#sign(['-revoke', issued.cert]);
    await this.#sign(['-gencrl', '-crldays', '30', '-out', this.crl]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#directory[Symbol.asyncDispose]();
  }

  async #sign(args: readonly string[]): Promise<void> {
    const file = (suffix: string): string => this.#directory.file(`${this.#name}.${suffix}`);
    const config = this.#directory.write(
      `${this.#name}.cnf`,
      [
        '[ca]',
        'default_ca = test',
        '[test]',
        `database = ${file('index')}`,
        `serial = ${file('serial')}`,
        `crlnumber = ${file('crlnumber')}`,
        `new_certs_dir = ${this.#directory.path}`,
        'default_md = sha256',
        'policy = any',
        '[any]',
        'commonName = optional',
        'organizationName = optional',
        '',
      ].join('\n'),
    );
    await openssl(this.#directory, ['ca', '-config', config, '-cert', this.ca, '-keyfile', file('key'), ...args]);
  }
}

function extensions({ names, usage, isAuthority }: IssueOptions): string {
  const alternatives = (names ?? []).map(name => (name.startsWith('IP:') ? name : `DNS:${name}`));
  const lines = [
    `basicConstraints = critical,CA:${isAuthority === true ? 'TRUE' : 'FALSE'}`,
    isAuthority === true ? 'keyUsage = keyCertSign,cRLSign' : `extendedKeyUsage = ${usage ?? 'serverAuth,clientAuth'}`,
    ...(alternatives.length === 0 ? [] : [`subjectAltName = ${alternatives.join(',')}`]),
  ];
  return `${lines.join('\n')}\n`;
}

async function makeKey(directory: Directory, name: string, kind: 'ec' | 'rsa'): Promise<void> {
  await openssl(directory, ['genpkey', ...KEYS[kind], '-out', directory.file(`${name}.key`)]);
}

/** As `openssl ca` wants a time: `YYYYMMDDHHMMSSZ`. */
function asn1(date: Date): string {
  return `${date.toISOString().replaceAll(/[-:T]|\.\d+Z/g, '')}Z`;
}

async function openssl(directory: Directory, args: readonly string[]): Promise<void> {
  await run('openssl', args, { cwd: directory.path, timeout: 20_000 });
}
