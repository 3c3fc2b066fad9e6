import { setImmediate as turn } from 'node:timers/promises';
import type { StopReason } from '../stages.ts';
import type { SessionFacts, SessionFilter } from './session_facts.ts';
import { compileFilter } from './session_filter.ts';

/** A session that can be asked who it is, and ended. */
export interface Found {
  facts(): SessionFacts;
  stop(reason: StopReason): void;
}

/** The sessions of a worker. */
export interface Searched<Session extends Found> {
  all(): Session[];
  /** Whether it has not ended. */
  has(session: Session): boolean;
}

/** So long the event loop may be held at once; sessions have to be served meanwhile. */
const SLICE_MS = 5;

/** The sessions that match, at most `limit`, in no order. Those that end or come meanwhile may be missing. */
export async function listSessions<Session extends Found>(
  searched: Searched<Session>,
  filter: SessionFilter,
  limit: number,
): Promise<SessionFacts[]> {
  const listed: SessionFacts[] = [];
  if (limit <= 0) return listed;
  await search(searched, filter, (_, facts) => listed.push(facts) < limit);
  return listed;
}

/** Ends those that match, as `killed`; answers how many. */
export async function endSessions<Session extends Found>(
  searched: Searched<Session>,
  filter: SessionFilter,
): Promise<number> {
  let ended = 0;
  await search(searched, filter, session => {
    session.stop('killed');
    ended += 1;
    return true;
  });
  return ended;
}

/** Goes through them in slices until `found` says false. */
async function search<Session extends Found>(
  searched: Searched<Session>,
  filter: SessionFilter,
  found: (session: Session, facts: SessionFacts) => boolean,
): Promise<void> {
  const matches = compileFilter(filter);
  let sliceMs = performance.now();
  for (const session of searched.all()) {
    if (performance.now() - sliceMs > SLICE_MS) {
      await turn();
      sliceMs = performance.now();
    }
    if (!searched.has(session)) continue;
    const facts = session.facts();
    if (matches(facts) && !found(session, facts)) return;
  }
}
