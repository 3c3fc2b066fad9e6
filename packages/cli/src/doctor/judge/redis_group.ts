import { count } from '../../output/numbers.ts';
import { type Finding, findings } from '../finding.ts';

/** What one sentinel says of the master. */
export interface SentinelAnswer {
  readonly place: string;
  /** Why it cannot be asked; null: it can. */
  readonly trouble: string | null;
  /** `10.0.0.1:6379`; null: it knows no master of that name. */
  readonly master: string | null;
  /** What it says to CKQUORUM where there are too few of them; null: there are enough. */
  readonly quorumTrouble: string | null;
}

export interface ClusterAnswer {
  /** `ok` or `fail`; null: it may not be asked. */
  readonly state: string | null;
  readonly slotsOk: number;
  readonly masters: number;
}

const SLOTS = 16_384;

const sentinel = findings('Sentinel');
const cluster = findings('Redis Cluster');

export function judgeSentinels(answers: readonly SentinelAnswer[], name: string): Finding[] {
  const found = answers
    .filter(({ trouble }) => trouble !== null)
    .map(({ place, trouble }) =>
      sentinel.warning(`${place}: ${trouble}`, 'start it, or take it out of state.redis.sentinels'),
    );
  const there = answers.filter(({ trouble }) => trouble === null);
  const masters = [...new Set(there.map(({ master }) => master))];
  if (there.length === 0)
    return [
      ...found,
      sentinel.problem(
        'no sentinel can be asked, so the master is not found',
        `redis-cli -p 26379 sentinel get-master-addr-by-name ${name}`,
      ),
    ];
  if (masters.includes(null))
    found.push(
      sentinel.problem(
        `${there.find(({ master }) => master === null)?.place} knows no master named ${name}`,
        'correct state.redis.master, or: sentinel monitor in its sentinel.conf',
      ),
    );
  else if (masters.length > 1)
    found.push(
      sentinel.problem(
        `the sentinels name different masters: ${masters.join(' and ')}`,
        `redis-cli -p 26379 sentinel reset ${name} on those that are wrong, one after the other`,
      ),
    );
  else found.push(sentinel.ok(`${there.length} of ${answers.length} answer, and name ${masters[0]}`));
  const few = there.find(({ quorumTrouble }) => quorumTrouble !== null);
  if (few !== undefined)
    found.push(
      sentinel.problem(
        `a failover would not be possible: ${few.quorumTrouble}`,
        `redis-cli -p 26379 sentinel ckquorum ${name}`,
      ),
    );
  if (answers.length < 3)
    found.push(
      sentinel.warning(
        `${answers.length} named in state.redis.sentinels: three are the least that survive the loss of one`,
        'run a third sentinel, and name it',
      ),
    );
  return found;
}

/** Each of its masters is judged for itself besides. */
export function judgeCluster({ state, slotsOk, masters }: ClusterAnswer): Finding[] {
  const what = `${state === null ? '' : `${state}, `}${count(slotsOk)} of ${count(SLOTS)} slots are served by ${masters} masters`;
  if ((state === 'ok' || state === null) && slotsOk === SLOTS) return [cluster.ok(what)];
  const lost = `${what}: clients whose slots are not served are placed without the shared table`;
  return [cluster.problem(lost, 'redis-cli --cluster check HOST:PORT, then --cluster fix')];
}
