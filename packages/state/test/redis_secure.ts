/** What makes a test's Redis ask for a certificate's trust, and for users: arguments of redis-server, and the test's own way in. */
import { readFileSync } from 'node:fs';
import type { RedisOptions } from 'ioredis';

export interface Security {
  /** PEM files: the authority, and a certificate for 127.0.0.1 with its key. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** Of the default user, who may do all; the servers know each other by it. */
  readonly password: string;
  /** A further user, as `ACL SETUSER` wants it: `limpet on >secret ~limpet:* …`. */
  readonly user: string;
}

/** The words of a file of configuration, one line each. */
export function securityLines(port: number, { ca, cert, key, password, user }: Security): readonly string[] {
  return [
    'port 0',
    `tls-port ${port}`,
    'tls-replication yes',
    'tls-auth-clients no',
    `tls-ca-cert-file ${ca}`,
    `tls-cert-file ${cert}`,
    `tls-key-file ${key}`,
    `requirepass ${password}`,
    `user ${user}`,
  ];
}

/** The same as arguments. */
export function securityArgs(port: number, security: Security): readonly string[] {
  return [...securityLines(port, security), `masterauth ${security.password}`].flatMap(line => {
    const [name = '', ...words] = line.split(' ');
    return [`--${name}`, ...words];
  });
}

/** How the test itself gets in. */
export function adminOptions(security: Security | undefined): Pick<RedisOptions, 'password' | 'tls'> {
  return security === undefined ? {} : { password: security.password, tls: { ca: readFileSync(security.ca) } };
}
