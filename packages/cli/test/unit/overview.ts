/** What the API answers of a snapshot. */
import { backendAnswer } from '../../../proxy/src/admin/api/find.ts';
import { snake } from '../../../proxy/src/admin/api/snake.ts';
import type { Snapshot } from '../../../proxy/src/admin/snapshot.ts';
import type { Overview } from '../../src/admin/facts.ts';

export function overviewOf({ atMs, info, backends, ...rest }: Snapshot): Overview {
  return snake({ info: { atMs, ...info }, backends: backends.map(backendAnswer), ...rest }) as Overview;
}
