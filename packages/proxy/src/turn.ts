import type { FirstBytes } from './first_bytes.ts';
import type { GateAnswer } from './gate/gate_answer.ts';
import type { Inbound } from './stages.ts';
import { readVarInt } from './varint.ts';
import type { Workshop } from './workshop.ts';

/** A client that waits until its CONNECT may go to its backend. */
export interface Turn {
  /** `gone`: it has left, was stopped, or there was no room for what it sent (`first.isLost`). */
  readonly result: Promise<GateAnswer>;
  /** It waits no more: its place in the queue is somebody else's. */
  leave(): void;
}

/** Waits at the primary, and hears the client meanwhile. Null: nothing limits it. */
export function waitForTurn(inbound: Inbound, first: FirstBytes, shop: Workshop, backend: string): Turn | null {
  const asked = shop.pace(inbound, backend);
  if (asked === null) return null;
  const { client } = inbound;
  let isGone = false;
  const leave = (): void => {
    isGone = true;
    shop.leavePace(inbound);
  };
  // What it sends meanwhile is kept once: the endpoint has read that much ahead in any case.
  const keep = (chunk: Buffer): void => {
    client.pause();
    if (!first.add(chunk)) leave();
  };
  client.attach({ bytes: keep, drained() {}, ended: leave, closed: leave });
  // Of a client that has said CONNECT only, FIN means that it has given up: its place is somebody else's. One that has
  // sent its messages too may have ended its half (P1), and frames are the next stage's to read.
  if (inbound.websocket === null && isConnectOnly(first.bytes)) client.resume();
  const result = asked.then((answer): GateAnswer => {
    client.pause();
    return isGone ? { kind: 'gone' } : answer;
  });
  return { result, leave };
}

function isConnectOnly(bytes: Buffer): boolean {
  const length = readVarInt(bytes, 1);
  return length.kind === 'value' && length.end + length.value === bytes.length;
}
