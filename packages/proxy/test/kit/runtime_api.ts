/**
 * One command to a runtime API, of HAProxy or of Limpet.
 */
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';

/** The answer to a command, e.g. `show table mqtt`, at the unix socket of that path. */
export async function askRuntime(path: string, command: string): Promise<string> {
  const socket = connect({ path });
  socket.end(`${command}\n`);
  return text(socket);
}

/** The answer of `/api/v1` over it, to `GET /tasks` and the like. Throws where that is another status than 200. */
export async function askRuntimeApi<Answer>(path: string, request: string): Promise<Answer> {
  const answer = await askRuntime(path, `api ${request}`);
  if (!answer.startsWith('200\n')) throw new Error(`api ${request} answered ${answer.slice(0, 200)}`);
  return JSON.parse(answer.slice(4)) as Answer;
}
