/**
 * The ClientHellos of real programs, read as they come.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { type HelloReading, readClientHello } from '../../../src/tls/client_hello.ts';
import { startProcess } from '../../kit/process.ts';
import { RawSocket } from '../../kit/raw_socket.ts';

/** Starts a program that connects to a port, and answers what its first bytes say. */
async function helloOf(command: string, args: (port: number) => readonly string[]): Promise<HelloReading> {
  const arrived: RawSocket[] = [];
  const server = createServer(socket => arrived.push(new RawSocket(socket, command)));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  try {
    await using client = startProcess(command, args((server.address() as AddressInfo).port));
    return await client.waitUntil('a ClientHello', () => {
      const answer = readClientHello(arrived[0]?.received() ?? Buffer.alloc(0));
      return answer.kind !== 'more' && answer;
    });
  } finally {
    for (const socket of arrived) socket[Symbol.dispose]();
    server.close();
    await once(server, 'close');
  }
}

test.each<readonly [args: readonly string[], sni: string | null, alpn: readonly string[]]>([
  [['-servername', 'Dash.Example.com', '-alpn', 'mqtt,http/1.1'], 'dash.example.com', ['mqtt', 'http/1.1']],
  [['-servername', 'dash.example.com', '-tls1_2'], 'dash.example.com', []],
  [['-noservername', '-tls1_3'], null, []],
])('openssl s_client %j', async (args, sni, alpn) => {
  const hello = await helloOf('openssl', port => ['s_client', '-connect', `127.0.0.1:${port}`, ...args]);
  expect(hello).toEqual({ kind: 'hello', hello: { sni, alpn } });
});

test('mosquitto_pub asks for the host that it connects to', async () => {
  const publish = ['-h', 'localhost', '-t', 'a', '-m', 'b', '--capath', '/', '--insecure'];
  const hello = await helloOf('mosquitto_pub', port => [...publish, '-p', String(port)]);
  expect(hello).toEqual({ kind: 'hello', hello: { sni: 'localhost', alpn: [] } });
});

test('P7: mosquitto_pub without TLS is told from its first byte', async () => {
  const publish = ['-h', '127.0.0.1', '-t', 'a', '-m', 'b'];
  const hello = await helloOf('mosquitto_pub', port => [...publish, '-p', String(port)]);
  expect(hello).toEqual({ kind: 'stranger', detail: 'an MQTT CONNECT without TLS' });
});
