import type { SessionFacts, SessionFilter } from '../../account/session_facts.ts';
import type { Control } from '../control.ts';
import { type Answer, type Caller, type Command, Refusal } from './command.ts';
import { readSessionId, type SessionId } from './session_id.ts';
import { errorsText, sessionDetails, sessionLine } from './session_text.ts';
import { findFrontend, findServer, readServerRef } from './target.ts';

/** So many sessions are listed at most; who has more says which are meant. */
const MOST_LISTED = 20_000;
/** Lines of one write: no event loop is held for long. */
const LINES_A_CHUNK = 256;

export const sessCommands: readonly Command[] = [
  {
    words: 'show sess',
    usage: '[id|all|<filter>]',
    does: 'report the list of current sessions or dump this exact session (filter: server|frontend|client|src)',
    level: 'operator',
    run: showSess,
  },
  {
    words: 'show errors',
    usage: '',
    does: 'report the last malformed CONNECTs, without what they hold of secrets',
    level: 'operator',
    run: (_, { control }) => errorsText(control.errors(), control.snapshot().atMs),
  },
  {
    words: 'shutdown session',
    usage: '[id]',
    does: 'kill a specific session',
    level: 'admin',
    run: async ([id], { control, by }) => {
      if (id === undefined) throw new Refusal("Session pointer expected (use 'show sess').");
      const session = readSessionId(id);
      const ended = session === null ? 0 : await control.endSessions(exactly(control, session), by);
      if (ended === 0) throw new Refusal("No such session (use 'show sess').");
      return '';
    },
  },
  {
    words: 'shutdown sessions server',
    usage: '<bk>/<srv>',
    does: 'kill sessions on a server',
    level: 'admin',
    run: async ([name], { control, by }) => {
      await control.endSessions(findServer(control.snapshot(), name).ref, by);
      return '';
    },
  },
  {
    words: 'shutdown frontend',
    usage: '<frontend>',
    does: 'stop a specific frontend: its ports are released, its sessions live on',
    level: 'admin',
    run: async ([name], { control, by }) => {
      const frontend = findFrontend(control.snapshot(), name);
      if (frontend.state === 'disabled') throw new Refusal('Frontend was already shut down.');
      await control.setFrontendEnabled(frontend.name, false, by);
      return '';
    },
  },
];

async function showSess(args: readonly string[], { control }: Caller): Promise<Answer> {
  const [first] = args;
  const id = first === undefined ? null : readSessionId(first);
  if (id !== null) {
    const [session] = await control.sessions(exactly(control, id), 1);
    return session === undefined ? 'Session not found.' : sessionDetails(session, Date.now());
  }
  const filter = first === undefined || first === 'all' ? {} : readSessionFilter(args);
  const sessions = await control.sessions(filter, MOST_LISTED);
  return list(sessions, first === 'all' ? sessionDetails : sessionLine);
}

async function* list(
  sessions: readonly SessionFacts[],
  write: (session: SessionFacts, nowMs: number) => string,
): AsyncGenerator<string> {
  const nowMs = Date.now();
  for (let at = 0; at < sessions.length; at += LINES_A_CHUNK) {
    const chunk = sessions.slice(at, at + LINES_A_CHUNK).map(session => write(session, nowMs));
    yield chunk.join('');
    await new Promise(resolve => setImmediate(resolve));
  }
  if (sessions.length === MOST_LISTED) {
    yield `# the first ${MOST_LISTED} sessions; there may be more: show sess server <bk>/<srv> | frontend <frontend> | client <id> | src <ip>\n`;
  }
}

function exactly(control: Control, { worker, id }: SessionId): SessionFilter {
  return { worker: `${control.snapshot().info.name}/${worker}`, id };
}

/** `server B/S`, `backend B`, `frontend F`, `client ID`, `src IP`. */
function readSessionFilter([what, value]: readonly string[]): SessionFilter {
  if (value !== undefined) {
    if (what === 'server') return readServerRef(value);
    if (what === 'backend') return { backend: value };
    if (what === 'frontend') return { frontend: value };
    if (what === 'client') return { clientId: value };
    if (what === 'src') return { source: value };
  }
  throw new Refusal(
    "Session not found. Expects an id of 'show sess', all, or server|backend|frontend|client|src and a value.",
  );
}
