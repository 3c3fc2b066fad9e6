import { expect, test } from 'vitest';
import { ask } from './ask.ts';
import { listen } from './servers.ts';

test('a check begins at the first source address, so that a firewall has to know one only', async () => {
  const origins: (string | undefined)[] = [];
  await using server = await listen(socket => origins.push(socket.remoteAddress));
  const check = (source: readonly string[]) => ask(server.port, { type: 'tcp' }, {}, { source });
  for (let turn = 0; turn < 2; turn += 1) {
    expect(await check(['::1', '127.0.0.31', '127.0.0.32'])).toMatchObject({ kind: 'checked', result: { ok: true } });
  }
  expect(origins).toEqual(['127.0.0.31', '127.0.0.31']);
});

test('a source address that is not here, or not of the family, says nothing of the server', async () => {
  await using server = await listen();
  const check = (source: string) => ask(server.port, { type: 'tcp' }, {}, { source: [source] });
  expect(await check('192.0.2.77')).toEqual({ kind: 'not_made', code: 'EADDRNOTAVAIL' });
  expect(await check('::1')).toEqual({ kind: 'not_made', code: 'no source address of its family' });
});
