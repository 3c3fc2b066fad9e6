import { type DataPath, judgePath } from '../../admin/http/readiness.ts';
import type { Config } from '../../config/resolved.ts';
import type { ServerStatus } from '../../route/scheduler.ts';
import { leadsTo } from '../leads.ts';
import { helpsToLetGo, type PairMate } from './others.ts';

/** What the file says, and why. */
export interface Judgement {
  readonly ready: boolean;
  /** What is wrong, in one line; empty: nothing. It may be ready all the same. */
  readonly trouble: string;
  /** It is not ready, unless the others turn out to be no better: whoever has said that it is may wait for their news. */
  readonly isOpen?: boolean;
}

/** Since when backends are missing. */
export class Lack {
  readonly #sinceMs = new Map<string, number>();

  /** How long ago the last of them went missing; 0: none is, or one is since now. Times are monotonic. */
  forMs(missing: readonly string[], nowMs: number): number {
    for (const name of this.#sinceMs.keys()) if (!missing.includes(name)) this.#sinceMs.delete(name);
    for (const name of missing) if (!this.#sinceMs.has(name)) this.#sinceMs.set(name, nowMs);
    return nowMs - Math.max(...this.#sinceMs.values(), missing.length === 0 ? nowMs : Number.NEGATIVE_INFINITY);
  }
}

/** A new client may go there. */
export function isUsable({ up, admin, address, weight }: ServerStatus): boolean {
  return up && admin === 'ready' && address !== null && weight > 0;
}

/** The checks have found it: what operators say of it, its weight too, holds for all proxies that share the state. */
export function isThere({ up, address }: ServerStatus): boolean {
  return up && address !== null;
}

/**
 * The way from open ports to brokers, as the primary has it. A frontend without a bind is one that is disabled. `counts`:
 * which servers do.
 */
export function pathOf(
  { frontends }: Pick<Config, 'frontends'>,
  statuses: (backend: string) => readonly ServerStatus[],
  course: Pick<DataPath, 'isStopping' | 'hasWorker'>,
  counts: (server: ServerStatus) => boolean,
): DataPath {
  const open = frontends.filter(({ binds }) => binds.length > 0);
  const needed = [...new Set(open.flatMap(leadsTo))];
  const missing = needed.filter(backend => !statuses(backend).some(counts));
  return { ...course, needed: open.length === 0 ? null : needed, missing };
}

/**
 * Whether this proxy can be the active one. `others`: those of its pair, as the shared state tells; null: it cannot be known.
 * `forMs`: since the last backend went missing.
 */
export function judgeReady(path: DataPath, others: readonly PairMate[] | null, forMs: number): Judgement {
  const { ready, reasons } = judgePath(path);
  const help = path.missing.length === 0 ? 'yes' : helpsToLetGo(path.missing, path.needed ?? [], others, forMs);
  const kept = judgePath({ ...path, missing: [] });
  if (help === 'yes') return { ready, trouble: reasons.join('; ') };
  if (help === 'wait') return { ready, trouble: reasons.join('; '), isOpen: kept.ready };
  const trouble = kept.ready ? [...reasons, 'the other proxy has no more than this one, which stays ready'] : reasons;
  return { ready: kept.ready, trouble: trouble.join('; ') };
}
