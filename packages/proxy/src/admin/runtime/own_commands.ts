import { safeJson } from '../../unsafe_text.ts';
import type { ApiAnswer, ApiRequest } from '../api/contract.ts';
import type { ReloadReport } from '../control.ts';
import { type Caller, type Command, Refusal } from './command.ts';

/** The configuration, and the JSON API by way of this socket: Limpet's own. */
export const ownCommands: readonly Command[] = [
  {
    words: 'reload',
    usage: '',
    does: 'read the configuration again and go over to it; a bad file changes nothing',
    level: 'admin',
    run: async (_, { control, by }) => reloadText(await control.reload(by)),
  },
  {
    words: 'api',
    usage: '<method> <path> [<json>|payload]',
    does: 'a request of /api/v1: the status, then the JSON or the stream',
    level: 'user',
    takesPayload: true,
    run: async (args, caller) => {
      const request = readRequest(args, caller);
      const answer = await caller.api(request, caller.control);
      const { method, path } = request;
      const isOrder = method !== 'GET' && answer.status < 300;
      if (isOrder && path.startsWith('/table/')) caller.note(`${method} ${path}`);
      return writeAnswer(answer);
    },
  },
];

/** As HAProxy's master answers `reload`: a line of its own for the outcome, then what there is to say. */
function reloadText(report: ReloadReport): string {
  const lines = report.ok
    ? [
        ...report.changes,
        ...(report.changes.length === 0 ? ['nothing has changed'] : []),
        ...report.needsRestart.map(what => `needs a restart: ${what}`),
      ]
    : [...report.problems, 'nothing has been changed'];
  return [`Success=${report.ok ? 1 : 0}`, '--', ...report.warnings, ...lines].join('\n');
}

const METHODS: readonly ApiRequest['method'][] = ['GET', 'POST', 'PUT', 'DELETE'];
const PREFIX = '/api/v1';

function readRequest([verb, target, ...json]: readonly string[], caller: Caller): ApiRequest {
  const method = METHODS.find(name => name === verb?.toUpperCase());
  if (method === undefined) throw new Refusal(`A method is expected: ${METHODS.join(', ')}.`);
  if (target === undefined || !target.startsWith('/')) {
    throw new Refusal('A path of the API is expected: api GET /info.');
  }
  const mark = target.indexOf('?');
  const path = mark === -1 ? target : target.slice(0, mark);
  return {
    method,
    path: path.startsWith(`${PREFIX}/`) ? path.slice(PREFIX.length) : path,
    query: new URLSearchParams(mark === -1 ? '' : target.slice(mark)),
    body: caller.payload ?? inline(json.join(' ')),
    level: caller.level,
    by: caller.by,
  };
}

async function* inline(text: string): AsyncGenerator<Buffer> {
  if (text !== '') yield Buffer.from(text, 'utf8');
}

async function* writeAnswer(answer: ApiAnswer): AsyncGenerator<string | Buffer> {
  yield `${answer.status}\n`;
  if ('json' in answer) yield `${safeJson(answer.json ?? null)}\n`;
  else yield* answer.stream;
}
