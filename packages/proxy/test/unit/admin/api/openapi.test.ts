import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import type { ApiAnswer, ApiRequest } from '../../../../src/admin/api/contract.ts';
import { handleApi } from '../../../../src/admin/api/handler.ts';
import { openApi } from '../../../../src/admin/api/openapi.ts';
import { ROUTES } from '../../../../src/admin/api/routes.ts';
import { FakeControl } from '../../../kit/admin_control.ts';

type Document = {
  paths: Record<
    string,
    Record<string, { responses: Record<string, { content?: Record<string, { schema: object }> }> }>
  >;
};

const document = openApi(ROUTES) as Document;
const ajv = new Ajv2020({ strict: true, allErrors: true });
ajv.addSchema({ ...document, $id: 'limpet' }, 'limpet');
ajv.addVocabulary(['openapi', 'info', 'servers', 'security', 'paths', 'components']);

const part = (text: string): string =>
  text.replaceAll('~', '~0').replaceAll('/', '~1').replaceAll('{', '%7B').replaceAll('}', '%7D');

/** What the description says of one answer. */
function described(method: string, path: string, status: number): ValidateFunction {
  const place = [
    'paths',
    part(path),
    method.toLowerCase(),
    'responses',
    String(status),
    'content',
    'application~1json',
  ];
  const validate = ajv.getSchema(`limpet#/${place.join('/')}/schema`);
  if (validate === undefined) throw new Error(`not described: ${method} ${path} ${status}`);
  return validate;
}

async function* chunks(text: string): AsyncIterable<Buffer> {
  if (text !== '') yield Buffer.from(text);
}

function ask(method: string, target: string, body?: unknown, level: ApiRequest['level'] = 'admin'): Promise<ApiAnswer> {
  const [path = '', query] = target.split('?');
  const text = typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body);
  const request = {
    method: method as ApiRequest['method'],
    path,
    query: new URLSearchParams(query),
    body: chunks(text),
  };
  return handleApi({ ...request, level, by: 'test' }, new FakeControl());
}

type Good = readonly [method: string, target: string, path: string, body?: unknown];

/** A good request for every route that answers JSON. */
const GOOD: readonly Good[] = [
  ['GET', '/info', '/info'],
  ['GET', '/proxies', '/proxies'],
  ['GET', '/frontends', '/frontends'],
  ['GET', '/frontends/mqtt', '/frontends/{frontend}'],
  ['GET', '/backends', '/backends'],
  ['GET', '/backends/other', '/backends/{backend}'],
  ['GET', '/servers', '/servers'],
  ['GET', '/servers/emqx/emqx2', '/servers/{backend}/{server}'],
  ['GET', '/tasks', '/tasks'],
  ['GET', '/workers', '/workers'],
  ['GET', '/history', '/history'],
  ['GET', '/events?after=0', '/events'],
  ['PUT', '/servers/emqx/emqx1/state', '/servers/{backend}/{server}/state', { state: 'drain' }],
  ['PUT', '/servers/emqx/emqx1/weight', '/servers/{backend}/{server}/weight', { weight: null }],
  ['PUT', '/servers/emqx/emqx1/maxconn', '/servers/{backend}/{server}/maxconn', { maxconn: 10 }],
  ['PUT', '/servers/emqx/emqx1/health', '/servers/{backend}/{server}/health', { health: 'down' }],
  ['PUT', '/servers/emqx/emqx1/checks', '/servers/{backend}/{server}/checks', { enabled: false }],
  ['PUT', '/servers/emqx/emqx1/address', '/servers/{backend}/{server}/address', { host: '10.0.0.9' }],
  ['POST', '/servers/emqx', '/servers/{backend}', { name: 'emqx2', address: '10.0.0.2:1883', backup: true }],
  ['POST', '/servers/emqx/emqx1/drain', '/servers/{backend}/{server}/drain', { rate: 200 }],
  ['POST', '/backends/emqx/rebalance', '/backends/{backend}/rebalance', { rate: 200, threshold: 0.1 }],
  ['POST', '/tasks/7/pause', '/tasks/{task}/pause'],
  ['POST', '/tasks/7/resume', '/tasks/{task}/resume', {}],
  ['POST', '/tasks/7/cancel', '/tasks/{task}/cancel'],
  ['PUT', '/frontends/mqtt/enabled', '/frontends/{frontend}/enabled', { enabled: true }],
  ['PUT', '/frontends/mqtt/maxconn', '/frontends/{frontend}/maxconn', { maxconn: null }],
  ['PUT', '/frontends/mqtt/conn_rate', '/frontends/{frontend}/conn_rate', { conn_rate: 0.5 }],
  ['PUT', '/info/maxconn', '/info/maxconn', { maxconn: 500 }],
  ['POST', '/reload', '/reload'],
  ['GET', '/openapi.json', '/openapi.json'],
  ['GET', '/clients?server=emqx1&limit=5', '/clients'],
  ['GET', '/clients/subscriber1', '/clients/{client_id}'],
  ['DELETE', '/clients/subscriber1', '/clients/{client_id}'],
  ['GET', '/errors', '/errors'],
  ['GET', '/table', '/table'],
  ['GET', '/table/emqx?limit=2&state=cooling', '/table/{backend}'],
  ['DELETE', '/table/emqx?server=emqx1', '/table/{backend}'],
  ['POST', '/table/emqx/import?format=csv', '/table/{backend}/import', 'key,server\n'],
  ['GET', '/table/emqx/subscriber1', '/table/{backend}/{key}'],
  ['PUT', '/table/emqx/subscriber1', '/table/{backend}/{key}', { server: 'emqx2' }],
  ['DELETE', '/table/emqx/subscriber1', '/table/{backend}/{key}'],
];

test('the description is OpenAPI 3.1', async () => {
  const { valid, errors } = await new Validator().validate(structuredClone(document));
  expect(errors).toBeUndefined();
  expect(valid).toBe(true);
});

test('every route is described, and has a good request below', () => {
  const routes = ROUTES.map(({ method, path }) => `${method} ${path}`);
  const methods = Object.entries(document.paths).flatMap(([path, one]) =>
    Object.keys(one).map(method => `${method.toUpperCase()} ${path}`),
  );
  expect(methods.sort()).toEqual([...routes].sort());
  // Of removals the fake refuses the one of a server, and exports are streams.
  const asked = [...GOOD.map(([method, , path]) => `${method} ${path}`)];
  const others = ['GET /table/{backend}/export', 'DELETE /servers/{backend}/{server}'];
  expect([...asked, ...others].sort()).toEqual([...routes].sort());
});

test.each(GOOD.map(good => ({ good, name: `${good[0]} ${good[1]}` })))(
  '$name answers as it is described',
  async ({ good }) => {
    const [method, target, path, body] = good;
    const answer = await ask(method, target, body);
    expect(answer).toHaveProperty('json');
    if (!('json' in answer)) return;
    expect(answer.status, JSON.stringify(answer.json)).toBeLessThan(300);
    const validate = described(method, path, answer.status);
    validate(JSON.parse(JSON.stringify(answer.json)));
    expect(validate.errors).toBeNull();
  },
);

test.each([
  ['GET', '/servers/emqx/none', '/servers/{backend}/{server}', undefined, 404, 'UNKNOWN_SERVER'],
  ['GET', '/frontends/none', '/frontends/{frontend}', undefined, 404, 'UNKNOWN_FRONTEND'],
  ['GET', '/table/other', '/table/{backend}', undefined, 404, 'NO_TABLE'],
  ['GET', '/table/emqx/none', '/table/{backend}/{key}', undefined, 404, 'NO_ENTRY'],
  ['POST', '/tasks/x/pause', '/tasks/{task}/pause', undefined, 404, 'UNKNOWN_TASK'],
  ['DELETE', '/servers/emqx/emqx1', '/servers/{backend}/{server}', undefined, 409, 'SERVER_NOT_IN_MAINT'],
  ['PUT', '/servers/emqx/emqx1/weight', '/servers/{backend}/{server}/weight', { weight: 257 }, 400, 'BAD_VALUE'],
  ['PUT', '/servers/emqx/emqx1/weight', '/servers/{backend}/{server}/weight', { weigth: 2 }, 400, 'BAD_VALUE'],
  ['PUT', '/servers/emqx/emqx1/state', '/servers/{backend}/{server}/state', '{"state":', 400, 'BAD_JSON'],
  ['POST', '/reload', '/reload', { now: true }, 400, 'BAD_VALUE'],
  ['GET', '/clients?limit=0', '/clients', undefined, 400, 'BAD_VALUE'],
  ['GET', '/table/emqx?ttl_ms_above=', '/table/{backend}', undefined, 400, 'BAD_VALUE'],
  ['DELETE', '/table/emqx?ttl_ms_below=1e3', '/table/{backend}', undefined, 400, 'BAD_VALUE'],
  ['GET', '/table/emqx?limit=0x10', '/table/{backend}', undefined, 400, 'BAD_VALUE'],
  ['GET', '/events?after=', '/events', undefined, 400, 'BAD_VALUE'],
  ['GET', '/clients?colour=red', '/clients', undefined, 400, 'BAD_VALUE'],
  ['GET', '/clients?server=a&server=b', '/clients', undefined, 400, 'BAD_VALUE'],
  ['PUT', '/info/maxconn', '/info/maxconn', `{"maxconn":${' '.repeat(1_048_576)}1}`, 413, 'TOO_LARGE'],
])('%s %s is refused as it is described', async (method, target, path, body, status, code) => {
  const answer = await ask(method, target, body);
  expect(answer).toMatchObject({ status, json: { error: { code } } });
  const validate = described(method, path, status);
  validate('json' in answer && answer.json);
  expect(validate.errors).toBeNull();
});

test('a refusal names what is wrong, where, and what would be right', async () => {
  const answer = await ask('PUT', '/servers/emqx/emqx1/state', { state: 'off' });
  expect(answer).toMatchObject({
    status: 400,
    json: { error: { message: 'body.state: must be one of ready, drain, drain_new, maint' } },
  });
});

test('an unexpected error keeps its text to itself', async () => {
  const answer = await ask('GET', '/clients/trouble');
  expect(answer.status).toBe(500);
  expect(JSON.stringify(answer)).not.toContain('secret');
});

test.each(ROUTES)('$method $path is for $level and above', async ({ method, path, level }) => {
  const levels = ['user', 'operator', 'admin'] as const;
  const target = path.replaceAll(/\{\w+\}/g, 'x');
  for (const one of levels) {
    const { status } = await ask(method, target, undefined, one);
    expect(status === 403).toBe(levels.indexOf(one) < levels.indexOf(level));
  }
});

test('users are not told who did what to whom', async () => {
  const told = async (level: ApiRequest['level']) => JSON.stringify(await ask('GET', '/events', undefined, level));
  expect(await told('user')).toContain('server_down');
  expect(await told('user')).not.toContain('subscriber1');
  expect(await told('operator')).toContain('subscriber1');
});
