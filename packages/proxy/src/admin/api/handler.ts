import { z } from 'zod';
import { LimpetError } from '../../errors.ts';
import type { AdminLevel, Control } from '../control.ts';
import { checked, queryObject, readJson } from './body.ts';
import type { ApiAnswer, ApiHandler, ApiRequest } from './contract.ts';
import { match, type Route, Streamed, Verbatim } from './route.ts';
import { ROUTES } from './routes.ts';
import { snake } from './snake.ts';

const LEVELS: readonly AdminLevel[] = ['user', 'operator', 'admin'];
const NOTHING = z.strictObject({});

/** Answers one request of `/api/v1`. */
export const handleApi: ApiHandler = async (request, control) => {
  try {
    const found = match(ROUTES, request.method, request.path);
    if (found.kind === 'undecodable') {
      throw new LimpetError('BAD_PATH', 'the path is no percent-encoded UTF-8', 'Encode each name by itself.');
    }
    if (found.kind === 'unknown') {
      throw new LimpetError(
        'NO_SUCH_PATH',
        'there is nothing at this path',
        'GET /api/v1/openapi.json lists all paths.',
      );
    }
    if (found.kind === 'wrong_method') return wrongMethod(request.method, found.allow);
    if (LEVELS.indexOf(request.level) < LEVELS.indexOf(found.route.level)) throw forbidden(found.route.level, request);
    return await answer(found.route, found.params, request, control);
  } catch (error) {
    return failed(error);
  }
};

async function answer(
  route: Route,
  params: Readonly<Record<string, string>>,
  request: ApiRequest,
  control: Control,
): Promise<ApiAnswer> {
  const query = checked(route.query ?? NOTHING, queryObject(request.query), 'query');
  const body = await bodyOf(route, request);
  const said = await route.run({ params, query, body, request, control, routes: ROUTES });
  if (said instanceof Streamed) return said.answer;
  const status = 'status' in route.answers ? route.answers.status : 200;
  return { status, json: said instanceof Verbatim ? said.json : snake(said) };
}

/** A route that takes none still refuses one: a misspelt request must not look as if it were obeyed. */
async function bodyOf(route: Route, { method, body }: ApiRequest): Promise<unknown> {
  if (method === 'GET' || route.bodyTypes !== undefined) return undefined;
  return checked(route.body ?? NOTHING, await readJson(body), 'body');
}

function forbidden(level: AdminLevel, { by, level: own }: ApiRequest): LimpetError {
  const who = level === 'admin' ? 'an admin' : 'an operator or an admin';
  const remedy = by.startsWith('runtime_api')
    ? `This socket has the level ${own}: use another one, or change its \`level\` in \`global.runtime_api\`.`
    : `Ask as ${who}: see \`global.stats.users\`.`;
  return new LimpetError('FORBIDDEN', `this needs the level ${level}`, remedy);
}

function wrongMethod(method: string, allow: readonly string[]): ApiAnswer {
  const error = {
    code: 'WRONG_METHOD',
    message: `${method} is not understood here`,
    remedy: `Use ${allow.join(', ')}.`,
  };
  return { status: 405, json: { error }, headers: { Allow: allow.join(', ') } };
}

const STATUS: Readonly<Record<string, number>> = {
  FORBIDDEN: 403,
  NO_SUCH_PATH: 404,
  NO_ENTRY: 404,
  NO_TABLE: 404,
  TIMEOUT: 408,
  SERVER_NOT_IN_MAINT: 409,
  SERVER_IN_USE: 409,
  SERVER_EXISTS: 409,
  TOO_LARGE: 413,
};

/** The status that fits an error's code. */
function statusOf(code: string): number {
  const known = STATUS[code];
  if (known !== undefined) return known;
  if (code.startsWith('UNKNOWN_')) return 404;
  if (code.startsWith('STATE_')) return 503;
  if (code.startsWith('TASK_')) return 409;
  return 400;
}

/** An error as the answer that tells it. What is none of ours is told without its text: nobody knows what that holds. */
function failed(error: unknown): ApiAnswer {
  if (error instanceof LimpetError) {
    const { code, message, remedy } = error;
    return { status: statusOf(code), json: { error: { code, message, remedy } } };
  }
  const name = error instanceof Error ? error.name : 'an error';
  const told = { code: 'INTERNAL', message: `an unexpected ${name}`, remedy: 'Please report it, with what was asked.' };
  return { status: 500, json: { error: told } };
}
