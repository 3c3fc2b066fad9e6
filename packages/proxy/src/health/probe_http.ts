import { type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import type { ProbeConfig } from '../config/resolved.ts';
import { errorCode } from '../errors.ts';
import { type Answer, type AttemptTarget, attempt, failure } from './attempt.ts';
import type { ProbeOutcome } from './check_status.ts';

export type HttpProbe = Extract<ProbeConfig, { type: 'http' }>;

/**
 * One request on a connection of its own; alive if the status is among the expected ones. Redirects are not followed
 * and the body is not read.
 */
export function probeHttp(target: AttemptTarget, probe: HttpProbe, hostHeader: string): Promise<ProbeOutcome> {
  return attempt(target, (stream, answer) => ask(stream, probe, hostHeader, answer));
}

function ask(stream: Socket, probe: HttpProbe, host: string, answer: (answer: Answer) => void): void {
  // Without an agent Node asks for `Connection: close` and never uses the stream again.
  const asked = request({
    createConnection: () => stream,
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
