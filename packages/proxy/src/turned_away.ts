import type { Refused } from './account/session_log.ts';
import { turnAway } from './dial/turn_away.ts';
import { closeSoon } from './endpoint.ts';
import type { GateRefusal } from './gate/gate_answer.ts';
import type { Unlinked } from './passage.ts';
import { refuse } from './preread/refusal.ts';
import type { Connect, Inbound } from './stages.ts';
import type { Workshop } from './workshop.ts';

/** Counts a client that is turned away, tells it why, where it may be told, and closes. */
export function sayFarewell(inbound: Inbound, refused: Refused, backend: string, shop: Workshop): void {
  const { client } = inbound;
  const { answer, reason, server } = refused;
  const lane = shop.tally.refused(inbound, reason, backend, server);
  lane.in.add(client.bytesIn);
  if (answer !== null) {
    lane.out.add(answer.length);
    client.write(answer);
  }
  closeSoon(client, shop.wheel);
}

/** What is logged of a client that was turned away, and what it is told. */
export function refusalOf(unlinked: Unlinked, version: Connect['version']): Refused {
  if (unlinked.kind === 'lost') {
    const detail = 'global.preread_memory is used up';
    return { reason: 'preread_memory', detail, answer: refuse(version, 'busy'), server: null, retries: 0 };
  }
  if (unlinked.kind !== 'left') return turnAway(version, unlinked, refuse);
  return { reason: 'client_left', detail: 'before its CONNACK', answer: null, server: null, retries: 0 };
}

/** The same for one whose turn in the queue does not come. */
export function pacedOut(reason: GateRefusal, version: Connect['version']): Refused {
  const answer = refuse(version, reason === 'source_connect_rate' ? 'quota' : 'busy');
  return { reason, detail: 'by a limit', answer, server: null, retries: 0 };
}
