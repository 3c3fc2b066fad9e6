import { type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import type { ProbeConfig } from '../config/resolved.ts';
import { errorCode } from '../errors.ts';
import { type Answer, type AttemptTarget, attempt, failure } from './attempt.ts';
import type { ProbeOutcome } from './check_status.ts';

export type HttpProbe = Extract<ProbeConfig, { type: 'http' }>;

/**
 * One request on a connection of its own; alive if the status is among the expected ones. Redirects are not followed
 * and the body is not read. `header` is the PROXY header, sent before the request, or empty.
 */
export function probeHttp(
  target: AttemptTarget,
  probe: HttpProbe,
  hostHeader: string,
  header: Buffer,
): Promise<ProbeOutcome> {
  return attempt(target, (socket, answer) => {
    if (header.length > 0) socket.write(header);
    ask(socket, probe, hostHeader, answer);
  });
}

function ask(socket: Socket, probe: HttpProbe, host: string, answer: (answer: Answer) => void): void {
  // Without an agent Node asks for `Connection: close` and never uses the socket again.
  const asked = request({
    createConnection: () => socket,
    method: probe.method,
    path: probe.path,
    headers: { host, 'user-agent': 'limpet-check', accept: '*/*' },
  });
  asked.on('response', (response: IncomingMessage) => {
    // Nobody reads on; what the dropped connection makes of the rest is of no interest.
    response.on('error', () => {});
    answer(judgeStatus(response.statusCode ?? 0, probe.expect));
  });
  asked.on('error', error => answer(failure('L7RSP', errorCode(error))));
  asked.end();
}

/** What a status code says, where `expect` are the codes that mean alive. */
export function judgeStatus(status: number, expect: readonly number[]): Answer {
  if (!expect.includes(status)) return failure('L7STS', '', status);
  return { ok: true, status: 'L7OK', code: status, info: '' };
}
