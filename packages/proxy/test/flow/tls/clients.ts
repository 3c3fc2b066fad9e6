/** TLS clients: the `openssl` program, and Node. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import type { Issued } from '../../kit/certificates.ts';
import { within } from '../../kit/condition.ts';

/**
 * Says `hello` through `openssl s_client`, and answers everything it printed: the session first, what came back, and on
 * its error output alerts by name.
 */
export async function sClient(port: number, args: readonly string[] = []): Promise<string> {
  const child = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-ign_eof', ...args], { stdio: 'pipe' });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      // The echo is here, and with it every ticket that came before it.
      if (text.includes('hello-back')) child.kill('SIGINT');
    });
  }
  child.stdin.on('error', () => {});
  child.stdin.write('hello-back\n');
  try {
    await within(once(child, 'close'), { what: 'the end of openssl s_client', seen: () => text });
  } finally {
    child.kill('SIGKILL');
  }
  return text;
}

/** What a Node client met. */
export type Visit =
  | {
      readonly kind: 'echoed';
      readonly resumed: boolean;
      /** The newest session it was given. */
      readonly session: Buffer | null;
      /** The common name of the server's certificate; empty where the session was resumed without one. */
      readonly serverCn: string;
    }
  | { readonly kind: 'failed'; readonly code: string };

/** Connects, says a word, waits for its echo, and leaves. */
export async function visit(port: number, options: ConnectionOptions = {}): Promise<Visit> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  try {
    return await within(visitOver(socket), { what: 'an echo over TLS, or a failure' });
  } finally {
    socket.destroy();
  }
}

function visitOver(socket: TLSSocket): Promise<Visit> {
  return new Promise(resolve => {
    let session: Buffer | null = null;
    socket.on('session', given => {
      session = given;
    });
    socket.on('error', (error: NodeJS.ErrnoException) =>
      resolve({ kind: 'failed', code: error.code ?? error.message }),
    );
    socket.once('close', () => resolve({ kind: 'failed', code: 'closed' }));
    socket.once('secureConnect', () => socket.write('hello'));
    socket.once('data', () => {
      const names = socket.getPeerCertificate().subject?.CN ?? '';
      const serverCn = typeof names === 'string' ? names : (names[0] ?? '');
      // Of a resumption in TLS 1.2 Node tells no session, but it has one, with the ticket that was just given.
      const newest = socket.getProtocol() === 'TLSv1.2' ? (socket.getSession() ?? null) : session;
      resolve({ kind: 'echoed', resumed: socket.isSessionReused(), session: newest, serverCn });
    });
  });
}

/** A connection that trusts any certificate: TLS, and the socket below it, whose end is left to the test. Errors of both are nobody's. */
export async function openTls(
  port: number,
  options: ConnectionOptions = {},
): Promise<{ readonly client: TLSSocket; readonly below: Socket }> {
  const below = connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true });
  const client = connect({ socket: below, rejectUnauthorized: false, ...options });
  for (const socket of [below, client]) socket.on('error', () => {});
  await within(once(client, 'secureConnect'), { what: 'a TLS connection' });
  return { client, below };
}

/** A client's certificate, as Node wants it. */
export function pair(issued: Issued): Pick<ConnectionOptions, 'cert' | 'key'> {
  return { cert: readFileSync(issued.cert), key: readFileSync(issued.key) };
}
