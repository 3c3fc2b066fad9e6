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
}

/** A new client may go there. */
function isUsable({ up, admin, address, weight }: ServerStatus): boolean {
  return up && admin === 'ready' && address !== null && weight > 0;
}

/** The way from open ports to brokers, as the primary has it. A frontend without a bind is one that is disabled. */
export function pathOf(
  { frontends }: Pick<Config, 'frontends'>,
  statuses: (backend: string) => readonly ServerStatus[],
  course: Pick<DataPath, 'isStopping' | 'hasWorker'>,
): DataPath {
  const open = frontends.filter(({ binds }) => binds.length > 0);
  const needed = [...new Set(open.flatMap(leadsTo))];
  const missing = needed.filter(backend => !statuses(backend).some(isUsable));
  return { ...course, needed: open.length === 0 ? null : needed, missing };
}

/** Whether this proxy can be the active one. `others`: those of its pair, as the shared state tells; null: it cannot be known. */
export function judgeReady(path: DataPath, others: readonly PairMate[] | null): Judgement {
  const { ready, reasons } = judgePath(path);
  const isElsewhereNoBetter = path.missing.length > 0 && !helpsToLetGo(path.missing, path.needed ?? [], others);
  if (!isElsewhereNoBetter) return { ready, trouble: reasons.join('; ') };
  const kept = judgePath({ ...path, missing: [] });
  const trouble = kept.ready ? [...reasons, 'the other proxy has no more than this one, which stays ready'] : reasons;
  return { ready: kept.ready, trouble: trouble.join('; ') };
}
