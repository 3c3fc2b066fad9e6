import { z } from 'zod';
import { COMPONENTS, failure } from './components.ts';
import type { Route } from './route.ts';

type Json = Readonly<Record<string, unknown>>;

const REFUSALS: Readonly<Record<number, string>> = {
  400: 'Something in the request is wrong.',
  401: 'No or wrong credentials (HTTP only).',
  403: 'This needs a higher level.',
  404: 'There is no such thing.',
  405: 'Another method is needed.',
  409: 'Not in this state.',
  413: 'The body is too large.',
  429: 'Too many wrong passwords (HTTP only).',
  503: 'The store is away.',
};

const PARAMETERS: Readonly<Record<string, string>> = {
  backend: 'A backend’s name.',
  client_id: 'A client id, percent-encoded.',
  frontend: 'A frontend’s name.',
  key: 'A stick key, percent-encoded.',
  server: 'A server’s name.',
  task: 'A task’s number.',
};

/** Making one takes tens of milliseconds: each is made once. */
const made = new WeakMap<readonly Route[], Json>();

/** The description of `/api/v1`, OpenAPI 3.1, made of the schemas by which requests are checked. */
export function openApi(routes: readonly Route[]): Json {
  const description = made.get(routes) ?? describe(routes);
  made.set(routes, description);
  return description;
}

function describe(routes: readonly Route[]): Json {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(COMPONENTS)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { uri: id => `#/components/schemas/${id}` });
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) {
    const methods = paths[route.path] ?? {};
    methods[route.method.toLowerCase()] = operation(route);
    paths[route.path] = methods;
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Limpet',
      version: '1',
      summary: 'What a Limpet proxy does, and how to operate it.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/api/v1' }],
    security: [{ basic: [] }, {}],
    paths,
    components: {
      securitySchemes: { basic: { type: 'http', scheme: 'basic' } },
      schemas: Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, bare(schema)])),
    },
  };
}

function operation(route: Route): Json {
  const body = requestBody(route);
  return {
    summary: route.summary,
    operationId: operationId(route),
    description: `Level: ${route.level}.`,
    parameters: [...pathParameters(route), ...queryParameters(route), ...guardParameters(route)],
    ...(body === null ? {} : { requestBody: body }),
    responses: { ...answers(route), ...refusals() },
  };
}

/** `PUT /servers/{backend}/{server}/state` → `put_servers_backend_server_state`. */
function operationId({ method, path }: Route): string {
  return `${method.toLowerCase()}${path.replace(/[^a-z_]+/g, '_')}`.replace(/_$/, '');
}

function pathParameters({ path }: Route): readonly Json[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    description: PARAMETERS[name] ?? name,
    schema: { type: 'string', minLength: 1 },
  }));
}

function queryParameters({ query }: Route): readonly Json[] {
  if (query === undefined) return [];
  const { properties = {} } = bare(z.toJSONSchema(query, { io: 'input' })) as { properties?: Record<string, Json> };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    required: false,
    ...(description === undefined ? {} : { description }),
    schema,
  }));
}

/** What keeps other sites’ pages from giving orders. */
function guardParameters({ method }: Route): readonly Json[] {
  if (method === 'GET') return [];
  const description = 'HTTP only: no page of another site can send it.';
  return [
    { name: 'X-Limpet-Request', in: 'header', required: true, description, schema: { type: 'string', const: '1' } },
  ];
}

function requestBody({ body, bodyTypes }: Route): Json | null {
  if (bodyTypes !== undefined) {
    const content = Object.fromEntries(bodyTypes.map(type => [type, { schema: { type: 'string' } }]));
    return { required: true, content };
  }
  if (body === undefined) return null;
  return { required: true, content: { 'application/json': { schema: bare(z.toJSONSchema(body, { io: 'input' })) } } };
}

function answers({ answers: said }: Route): Json {
  if ('types' in said) {
    const content = Object.fromEntries(said.types.map(type => [type, { schema: { type: 'string' } }]));
    return { 200: { description: said.meaning, content } };
  }
  const content = { 'application/json': { schema: referring(said.schema) } };
  return { [said.status]: { description: said.meaning, content } };
}

function refusals(): Json {
  const content = { 'application/json': { schema: referring(failure) } };
  return Object.fromEntries(
    Object.entries(REFUSALS).map(([status, description]) => [status, { description, content }]),
  );
}

/** A schema in which the named ones are references. */
function referring(schema: z.ZodType): Json {
  const names = new Map(Object.entries(COMPONENTS).map(([id, one]) => [one, id]));
  const reference = (id: string): Json => ({ $ref: `#/components/schemas/${id}` });
  const own = names.get(schema);
  if (own !== undefined) return reference(own);
  const registry = z.registry<{ id: string }>();
  for (const [one, id] of names) registry.add(one, { id });
  registry.add(schema, { id: 'this' });
  const { schemas } = z.toJSONSchema(registry, { uri: id => `#/components/schemas/${id}` });
  return bare(schemas.this ?? {});
}

/** Without what only a schema that stands alone needs. */
function bare(schema: object): Json {
  const { $schema: _, $id: __, ...rest } = schema as Record<string, unknown>;
  return rest;
}
