import { createServer, type RequestListener } from 'node:http';
import { describe, expect, test } from 'vitest';
import type { ProbeConfig } from '../../../src/config/resolved.ts';
import { result } from './ask.ts';
import { portOf } from './servers.ts';

describe('HTTP', () => {
  const emqx = { path: '/api/v5/load_rebalance/availability_check', expect: [200] };

  async function serve(answer: RequestListener): Promise<{ readonly port: number } & AsyncDisposable> {
    const server = createServer(answer);
    return {
      port: await portOf(server),
      async [Symbol.asyncDispose]() {
        server.closeAllConnections();
        await new Promise(resolve => server.close(resolve));
      },
    };
  }

  test.each([
    ['200', 200, { ok: true, status: 'L7OK', code: 200 }],
    ['503: it evacuates', 503, { ok: false, status: 'L7STS', code: 503 }],
    ['302: redirects are not followed', 302, { ok: false, status: 'L7STS', code: 302 }],
  ])('EMQX’s availability check says %s', async (_title, status, expected) => {
    const seen: string[] = [];
    await using server = await serve((request, response) => {
      seen.push(`${request.method} ${request.url} ${request.headers.host} ${request.headers.connection}`);
      response.writeHead(status, { location: '/elsewhere' }).end('x'.repeat(10_000));
    });
    const probe: ProbeConfig = { type: 'http', method: 'GET', host: null, ...emqx };
    expect(await result(1, probe, { port: server.port })).toMatchObject(expected);
    expect(seen).toEqual([`GET ${emqx.path} 127.0.0.1:${server.port} close`]);
  });

  test('method, host and expected status are the configured ones', async () => {
    const seen: string[] = [];
    await using server = await serve((request, response) => {
      seen.push(`${request.method} ${request.headers.host}`);
      response.writeHead(204).end();
    });
    const probe: ProbeConfig = { type: 'http', method: 'HEAD', path: '/', host: 'mqtt.example', expect: [200, 204] };
    expect(await result(server.port, probe)).toMatchObject({ ok: true, code: 204 });
    expect(seen).toEqual(['HEAD mqtt.example']);
  });

  test('a body that never ends costs nothing', async () => {
    await using server = await serve((_request, response) => {
      response.writeHead(200).write('x'.repeat(100));
    });
    const probe: ProbeConfig = { type: 'http', method: 'GET', path: '/', host: null, expect: [200] };
    const found = await result(server.port, probe, { timeoutMs: 5000 });
    expect(found).toMatchObject({ ok: true, code: 200 });
    expect(found.durationMs).toBeLessThan(5000);
  });
});
