/**
 * A raw client over TLS.
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:tls';
import { within } from './condition.ts';
import { RawSocket } from './raw_socket.ts';

/** Connects, and checks the certificate of `localhost` with this authority's. */
export async function connectRawTls(port: number, ca: string): Promise<RawSocket> {
  const socket = connect({ host: '127.0.0.1', port, ca: readFileSync(ca), servername: 'localhost' });
  const raw = new RawSocket(socket, 'the raw TLS client');
  await within(
    new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', () => resolve());
      socket.once('error', reject);
    }),
    { what: `a TLS connection to port ${port}` },
  );
  return raw;
}
