import { generate } from 'mqtt-packet';
import { type Answer, type AttemptTarget, attempt, failure } from './attempt.ts';
import type { ProbeOutcome } from './check_status.ts';

/** Seconds; longer than any check lasts, so that no broker ends one for its silence. */
const KEEP_ALIVE_S = 60;
const DISCONNECT: Buffer = generate({ cmd: 'disconnect' });
const NOTHING: Buffer = Buffer.alloc(0);

/** The CONNECT of a check: MQTT 3.1.1, which every broker speaks, and a clean session, which leaves nothing behind. */
export function checkConnect(clientId: string, username: string | null, password: string | null): Buffer {
  return generate({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clean: true,
    keepalive: KEEP_ALIVE_S,
    clientId,
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password: Buffer.from(password) }),
  });
}

/** CONNECT, CONNACK, DISCONNECT. What a CONNACK says about the server is in `judgeConnack`. */
export function probeMqtt(target: AttemptTarget, connect: Buffer): Promise<ProbeOutcome> {
  return attempt(target, (stream, answer) => {
    let received = NOTHING;
    stream.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk.subarray(0, CONNACK_BYTES)]);
      const found = judgeConnack(received);
      if (found === 'more') return;
      // MQTT 3.1.1, 3.14: only an accepted client says goodbye; from others the broker has closed already.
      if (found.code === 0) answer(found, DISCONNECT);
      else if (found.ok) answer(found, NOTHING);
      else answer(found);
    });
    stream.write(connect);
  });
}

const CONNACK_BYTES = 4;
const UNAVAILABLE = 3;
/** MQTT 3.1.1, 3.2.2.3, table 3.1. Code 3 is the only one by which a broker speaks of itself, not of this client. */
const REFUSALS: readonly string[] = [
  'accepted',
  'unacceptable protocol version',
  'identifier rejected',
  'server unavailable',
  'bad user name or password',
  'not authorized',
];

/**
 * What the first bytes of a broker say (MQTT 3.1.1, 3.2): `more` until it can be known. Accepted is alive, and so is a
 * refusal of who we are (codes 1, 2, 4 and 5): the broker read the CONNECT, thought and answered. Code 3 is not.
 */
export function judgeConnack(bytes: Buffer): Answer | 'more' {
  const [type, length, flags, code] = bytes;
  if ((type ?? 0x20) !== 0x20) return failure('L7RSP', 'not a CONNACK');
  if ((length ?? 2) !== 2 || (flags ?? 0) > 1) return failure('L7RSP', 'malformed CONNACK');
  if (code === undefined) return 'more';
  const meaning = REFUSALS[code];
  if (meaning === undefined) return failure('L7RSP', 'unknown CONNACK return code', code);
  if (code === UNAVAILABLE) return failure('L7STS', meaning, code);
  return { ok: true, status: 'L7OK', code, info: code === 0 ? '' : meaning };
}
