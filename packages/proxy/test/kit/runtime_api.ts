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
