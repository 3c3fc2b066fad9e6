import { isIPv6 } from 'node:net';
import type { ConnectError, SessionFacts } from '../../account/session_facts.ts';
import { stamp } from '../../account/stamp.ts';
import { age } from './age.ts';
import { escaped } from './escape.ts';
import { writeSessionId } from './session_id.ts';

/** HAProxy's line of `show sess`. The client's own text comes last, so that it cannot pass for another field. */
export function sessionLine(session: SessionFacts, nowMs: number): string {
  const who = `proto=${protocol(session)} src=${session.client} fe=${session.frontend}`;
  const where = `be=${session.backend ?? '<NONE>'} srv=${session.server ?? '<none>'}`;
  const when = `ts=00 epoch=0 age=${age(nowMs - session.acceptedAtMs)}`;
  const what = `stage=${session.stage} rq=${session.bytesIn} rp=${session.bytesOut} rc=${session.retries}`;
  const mqtt = session.clientId === null ? '' : ` clientid=${escaped(session.clientId)}`;
  return `${writeSessionId(session.worker, session.id)}: ${who} ${where} ${when} ${what}${mqtt}\n`;
}

/** All that is known of a session, as HAProxy's `show sess <id>` is laid out. */
export function sessionDetails(session: SessionFacts, nowMs: number): string {
  const linked = session.linkedAtMs === null ? 'not yet' : `${age(nowMs - session.linkedAtMs)} ago`;
  const lines = [
    `${writeSessionId(session.worker, session.id)}: [${stamp(session.acceptedAtMs)}] id=${session.id} proto=${protocol(session)} source=${session.client}`,
    `  worker=${session.worker} stage=${session.stage} age=${age(nowMs - session.acceptedAtMs)} linked=${linked}`,
    `  frontend=${session.frontend}, bind=${session.bind} tls=${session.tls ?? 'no'} websocket=${session.websocket ? 'yes' : 'no'}`,
    `  backend=${session.backend ?? '<NONE>'} server=${session.server ?? '<NONE>'} how=${session.how ?? '-'} conn_retries=${session.retries}`,
    `  mqtt=${session.version ?? '-'} keep_alive=${session.keepAliveS ?? '-'}`,
    `  req total=${session.bytesIn} res total=${session.bytesOut}`,
    ...(session.clientId === null ? [] : [`  clientid=${escaped(session.clientId)}`]),
    ...(session.username === null ? [] : [`  username=${escaped(session.username)}`]),
  ];
  return `${lines.join('\n')}\n`;
}

/** `show errors`, newest last, as HAProxy lays it out. */
export function errorsText(errors: readonly ConnectError[], nowMs: number): string {
  const blocks = errors.map((error, index) => {
    const lines = [
      // One space, not an empty line: that would end the answer.
      ' ',
      `[${stamp(error.atMs)}] frontend ${error.frontend}: invalid request`,
      `  backend <NONE>, server <NONE>, event #${index}, src ${error.client}`,
      `  session ${writeSessionId(error.worker, error.session)}, worker ${error.worker}, bind ${error.bind}`,
      `  reason ${error.reason}: ${escaped(error.detail)}`,
      `  invalid request, ${error.length} bytes came, the first of them:`,
      ...hexLines(error.head),
    ];
    return `${lines.join('\n')}\n`;
  });
  return `Total events captured on [${stamp(nowMs)}] : ${errors.length}\n${blocks.join('')}`;
}

const BYTES_A_LINE = 16;

function hexLines(hex: string): readonly string[] {
  const bytes = hex.match(/[0-9a-f]{2}/gi) ?? [];
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += BYTES_A_LINE) {
    lines.push(`  ${String(at).padStart(5, '0')}  ${bytes.slice(at, at + BYTES_A_LINE).join(' ')}`);
  }
  return lines;
}

function protocol({ client }: SessionFacts): string {
  return isIPv6(/^\[(.*)\]/.exec(client)?.[1] ?? '') ? 'tcpv6' : 'tcpv4';
}
