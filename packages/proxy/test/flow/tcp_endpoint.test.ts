import { expect, test } from 'vitest';
import { NOBODY } from '../../src/endpoint.ts';
import { TcpEndpoint } from '../../src/tcp_endpoint.ts';
import { neverAnswers, startBroker } from '../kit/broker.ts';
import { within } from '../kit/condition.ts';
import { connectRaw } from '../kit/raw_socket.ts';

test('P10: a side that is reset while its FIN is on its way tells its close, and its peer sees RST', async () => {
  await using broker = await startBroker(neverAnswers());
  const { socket } = await connectRaw(broker.port);
  const endpoint = new TcpEndpoint(socket);
  const closed = new Promise<string | null>(resolve => endpoint.attach({ ...NOBODY, closed: resolve }));
  endpoint.end();
  endpoint.reset();
  expect(await within(closed, { what: 'the close' })).toBe('ECONNABORTED');
  const peer = await broker.waitForPeer(0);
  // What the kernel says of an RST that comes behind a FIN.
  expect(await within(peer.closed, { what: 'the RST' })).toBe('EPIPE');
});
