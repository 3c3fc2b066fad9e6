/**
 * /metrics and /api/v1 of the real program after traffic: what other people's tools say of them.
 */
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { text as body } from 'node:stream/consumers';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { hashPassword } from '../../src/admin/http/password.ts';
import { startBrokers } from '../kit/cluster.ts';
import { until, within } from '../kit/condition.ts';
import { connectAll, ids } from '../kit/crowd.ts';
import { makeDirectory } from '../kit/directory.ts';
import { type Limpet, startLimpet } from '../kit/limpet.ts';
import { startProcess } from '../kit/process.ts';
import { connectRaw } from '../kit/raw_socket.ts';

const PASSWORD = 'of-the-test';
const OPEN_METRICS = 'application/openmetrics-text;version=1.0.0';

type Document = {
  readonly paths: Readonly<
    Record<
      string,
      Readonly<Record<string, { readonly responses: Readonly<Record<string, { readonly content?: object }>> }>>
    >
  >;
};

/** What stands for the parameters of paths. */
const NAMES: Readonly<Record<string, string>> = {
  frontend: 'mqtt',
  backend: 'brokers',
  server: 'b1',
  client_id: 'sensor-1',
  key: 'sensor-1',
};

interface Told {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

type Ask = (path: string, accept?: string) => Promise<Told>;

/** Each request on a connection of its own: a kept one may end just when it is used again. */
async function asker(limpet: Limpet): Promise<Ask> {
  const { address } = await limpet.waitForEvent(one => one.event === 'admin_listening', 'the address of HTTP');
  return async (path, accept = '*/*') => {
    const options = { agent: false as const, auth: `admin:${PASSWORD}`, headers: { Accept: accept } };
    const request = get(`http://${address}${path}`, options);
    const [response] = (await within(once(request, 'response'), { what: `an answer to ${path}` })) as [IncomingMessage];
    const type = response.headers['content-type'] ?? '';
    return { status: response.statusCode ?? 0, type, text: await body(response) };
  };
}

/** What promtool says, and how it ended. */
async function promtool(...args: readonly string[]): Promise<{ readonly code: number | null; readonly said: string }> {
  await using tool = startProcess('promtool', args);
  const { code } = await tool.waitForExit();
  return { code, said: tool.tail() };
}

/** As a file that is read from has no clock, each value gets one. */
function stamped(openMetrics: string): string {
  return openMetrics
    .split('\n')
    .map(line => (line === '' || line.startsWith('#') ? line : `${line} 1800000000`))
    .join('\n');
}

test('after traffic promtool and schema validators find nothing wrong', async () => {
  await using brokers = await startBrokers(2);
  const users = { admin: { password: await hashPassword(PASSWORD), level: 'admin' } };
  await using limpet = await startLimpet({
    global: { name: 'lb1', workers: 2, stats: { bind: '127.0.0.1:0', users } },
    frontends: { mqtt: { bind: '127.0.0.1:0', default_backend: 'brokers' } },
    backends: {
      brokers: {
        stick: { on: 'client_id', size: '100k', expire: '30m' },
        check: { type: 'tcp', inter: '1s' },
        servers: { ...brokers.servers(), gone: '127.0.0.1:1' },
      },
    },
  });
  const port = limpet.port('mqtt');
  await using crowd = await connectAll(port, ids('sensor', 50));
  expect(crowd.refused).toEqual([]);
  {
    await using _left = await connectAll(port, ids('gone', 20), { version: 5 });
  }
  using garbage = await connectRaw(port);
  await garbage.write(Buffer.from('GET / HTTP/1.0\r\n\r\n'));
  await garbage.waitForEnd();
  const ask = await asker(limpet);

  await using folder = await makeDirectory('metrics');
  // Workers tell what they have counted a little later.
  const counted = [
    /^limpet_frontend_current_sessions\{frontend="mqtt"\} 50$/m,
    /^limpet_frontend_connects_total\{frontend="mqtt",version="5.0"\} 20$/m,
  ];
  const { text } = await until(
    async () => {
      const told = await ask('/metrics');
      return counted.every(line => line.test(told.text)) && told;
    },
    { what: '50 sessions, and 20 CONNECTs of 5.0' },
  );
  const checked = await promtoolCheck(text);
  expect(checked).toEqual({ code: 0, said: '' });

  const open = await ask('/metrics', OPEN_METRICS);
  expect(open.type).toContain('application/openmetrics-text');
  const file = folder.write('open.txt', stamped(open.text));
  const read = await promtool('tsdb', 'create-blocks-from', 'openmetrics', file, `${folder.path}/data`);
  expect(read, read.said).toMatchObject({ code: 0 });
  const broken = folder.write('broken.txt', '# TYPE a gauge\na 1 1800000000\n');
  expect((await promtool('tsdb', 'create-blocks-from', 'openmetrics', broken, `${folder.path}/no`)).code).not.toBe(0);

  const document = JSON.parse((await ask('/api/v1/openapi.json')).text) as Document;
  const { valid, errors } = await new Validator().validate(structuredClone(document));
  expect(errors).toBeUndefined();
  expect(valid).toBe(true);
  expect(await misdescribed(document, ask)).toEqual([]);
});

async function promtoolCheck(text: string): Promise<{ readonly code: number | null; readonly said: string }> {
  await using folder = await makeDirectory('promtool');
  // promtool reads what it checks from its input.
  await using tool = startProcess('sh', ['-c', 'promtool check metrics < "$0"', folder.write('metrics.txt', text)]);
  const { code } = await tool.waitForExit();
  return { code, said: tool.lines.map(line => line.text).join('\n') };
}

/** GET routes whose answer is not what the document says of it. */
async function misdescribed(document: Document, ask: Ask): Promise<readonly string[]> {
  const ajv = new Ajv2020({ strict: true, allErrors: true });
  ajv.addVocabulary(['openapi', 'info', 'servers', 'security', 'paths', 'components']);
  ajv.addSchema({ ...document, $id: 'limpet' }, 'limpet');
  const wrong: string[] = [];
  const gets = Object.entries(document.paths).filter(([, methods]) => 'get' in methods);
  expect(gets.length).toBeGreaterThan(14);
  for (const [path, methods] of gets) {
    const answer = await ask(`/api/v1${path.replaceAll(/\{(\w+)\}/g, (_, name: string) => NAMES[name] ?? name)}`);
    const type = answer.type.split(';')[0] ?? '';
    const content = methods.get?.responses[String(answer.status)]?.content ?? {};
    if (answer.status !== 200 || !(type in content)) wrong.push(`${path}: ${answer.status} ${type} ${answer.text}`);
    else if (type === 'application/json') {
      const place = ['paths', path, 'get', 'responses', '200', 'content', type, 'schema'].map(escaped).join('/');
      const validate = ajv.getSchema(`limpet#/${place}`);
      if (validate === undefined) wrong.push(`${path}: no schema`);
      else if (!validate(JSON.parse(answer.text))) wrong.push(`${path}: ${ajv.errorsText(validate.errors)}`);
    }
  }
  return wrong;
}

/** As a JSON pointer in a fragment wants it. */
function escaped(text: string): string {
  return text.replaceAll('~', '~0').replaceAll('/', '~1').replaceAll('{', '%7B').replaceAll('}', '%7D');
}
