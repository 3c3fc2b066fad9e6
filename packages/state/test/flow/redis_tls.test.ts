import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, connect, type Server } from 'node:net';
import { createServer } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectRedis } from '../../src/redis.ts';
import type { RedisTls } from '../../src/redis_target.ts';
import { Worker } from '../opened.ts';
import { RedisServer } from '../redis_server.ts';

const run = promisify(execFile);
const client = fileURLToPath(new URL('../tls_client.ts', import.meta.url));

/** TLS in front of a Redis, with a certificate for `localhost` that signed itself. */
async function listenTls(server: RedisServer): Promise<{ listener: Server; port: number; certificate: string }> {
  const certificate = `${server.directory}/cert.pem`;
  const key = `${server.directory}/key.pem`;
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  await run('openssl', [...request, ...names, '-keyout', key, '-out', certificate]);
  const listener = createServer({ cert: await readFile(certificate), key: await readFile(key) }, socket => {
    const redis = connect(server.socketPath);
    socket.on('error', () => undefined);
    socket.pipe(redis).pipe(socket);
  });
  listener.listen(0, 'localhost');
  await once(listener, 'listening');
  return { listener, port: (listener.address() as AddressInfo).port, certificate };
}

it('rediss: with a password, and only with a certificate that is trusted', async () => {
  await using server = await RedisServer.start();
  await server.admin.set('greeting', 'hello');
  await server.admin.config('SET', 'requirepass', 's3cret');
  const { listener, port, certificate } = await listenTls(server);
  const ask = async (env: Record<string, string>): Promise<string> => {
    const url = `rediss://:s3cret@localhost:${port}/0`;
    return (await run(process.execPath, ['--import', 'tsx', client, url], { env: { ...process.env, ...env } })).stdout;
  };
  try {
    expect(await ask({ NODE_EXTRA_CA_CERTS: certificate })).toBe('hello\n');
    const refused = await ask({ NODE_EXTRA_CA_CERTS: '' });
    expect(refused).toMatch(/^Redis rediss:\/\/:\*\*\*@localhost:.*self-signed certificate/);
    expect(refused).not.toContain('s3cret');
  } finally {
    listener.close();
  }
});

describe('tls: an authority of our own, and names', () => {
  let server: RedisServer;
  let tls: Awaited<ReturnType<typeof listenTls>>;
  beforeAll(async () => {
    server = await RedisServer.start();
    tls = await listenTls(server);
  });
  afterAll(async () => {
    tls?.listener.close();
    await server?.[Symbol.asyncDispose]();
  });

  const given = (more: Partial<RedisTls>): RedisTls => {
    return { ca: tls.certificate, cert: null, key: null, verify: 'required', serverName: null, ...more };
  };
  const targetOf = (host: string, more: Partial<RedisTls>) => {
    return { kind: 'server', url: `rediss://${host}:${tls.port}`, tls: given(more) } as const;
  };

  it.each([
    ['trusted', 'localhost', {}],
    ['by another host, with the name that the certificate has', '127.0.0.1', { serverName: 'localhost' }],
    ['not verified', '127.0.0.1', { ca: null, verify: 'none' }],
  ] as const)('%s', async (_, host, more) => {
    await using worker = new Worker({ target: targetOf(host, more) });
    expect(await worker.connection.circuit.firstContact).toBe(true);
    expect(worker.heard).toEqual([]);
  });

  it.each([
    ['unknown', 'localhost', { ca: null }, /self-signed certificate/],
    ['of another name', 'localhost', { serverName: 'redis.example.com' }, /does not match certificate's altnames/],
  ] as const)('a certificate that is %s is refused', async (_, host, more, why) => {
    await using worker = new Worker({ target: targetOf(host, more) });
    expect(await worker.connection.circuit.firstContact).toBe(false);
    expect(worker.heard).toEqual([expect.stringMatching(why)]);
  });

  it('a file that cannot be read is told at the start', () => {
    const target = targetOf('localhost', { ca: '/nonexistent/ca.pem' });
    const connect = () => connectRedis({ target, prefix: 'limpet', timeoutMs: 100, name: 'tls' });
    expect(connect).toThrow(expect.objectContaining({ code: 'REDIS_TLS_INVALID' }));
    expect(connect).toThrow(/ca\.pem.*ENOENT/);
  });
});
