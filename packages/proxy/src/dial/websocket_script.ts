import type { Inbound, WebSocketFacts } from '../stages.ts';
import { ConnackFrameReader } from '../websocket/connack_frames.ts';
import { replayUpgrade } from '../websocket/replay_upgrade.ts';
import { UpgradeAnswerReader } from '../websocket/upgrade_answer.ts';
import { readConnack } from './connack.ts';
import type { DialScript, ScriptStep } from './script.ts';

const NOTHING = Buffer.alloc(0);

/**
 * A broker that speaks WebSocket itself: the client's own upgrade, then its own frames, as it sent them. The answer is
 * looked for inside the broker's frames, but the frames are what goes to the client.
 */
export function webSocketScript(inbound: Inbound, facts: WebSocketFacts, path: string, version: 3 | 4 | 5): DialScript {
  const upgrade = new UpgradeAnswerReader(facts);
  const connack = new ConnackFrameReader();
  const received: Buffer[] = [];
  /** What came behind the 101, before our frames had gone. */
  let early: Buffer | null = null;

  const readFrames = (chunk: Buffer): ScriptStep => {
    received.push(chunk);
    const frames = connack.push(chunk);
    if (frames.kind === 'bad') return frames;
    const reading = readConnack(frames.bytes, version);
    if (reading.kind === 'bad') return reading;
    if (reading.kind !== 'more')
      return { kind: 'answered', answer: reading, toClient: Buffer.concat(received), mqtt: frames.bytes };
    return frames.kind === 'closed' ? { kind: 'bad', detail: `WebSocket closed with ${frames.code}` } : reading;
  };
  return {
    first: replayUpgrade({
      facts,
      path,
      query: facts.query,
      source: inbound.source.address,
      secure: inbound.tls !== null,
      trusted: inbound.trustsForwarded,
    }),
    isSilent: false,
    read(chunk) {
      if (early !== null) {
        const frames = early.length === 0 ? chunk : Buffer.concat([early, chunk]);
        early = NOTHING;
        return readFrames(frames);
      }
      const answer = upgrade.push(chunk);
      if (answer.kind === 'more') return answer;
      if (answer.kind === 'bad') return { kind: 'bad', detail: answer.detail };
      early = answer.rest;
      // Only now (RFC 6455, 4.1).
      return { kind: 'say', bytes: facts.frames() };
    },
  };
}
