import { bytes, count, counted } from '../../output/numbers.ts';
import { type Finding, findings } from '../finding.ts';

/** What one Redis (or Valkey) says of itself. What its user may not ask is null. */
export interface RedisNode {
  /** As it may be shown: no password. */
  readonly place: string;
  readonly isLocal: boolean;
  readonly isEncrypted: boolean;
  readonly hasPassword: boolean;
  /** Why it cannot be asked; null: it can. */
  readonly trouble: string | null;
  /** `Redis 7.0.15`. */
  readonly version: string | null;
  readonly role: 'master' | 'slave' | null;
  readonly replicas: number | null;
  readonly maxmemoryBytes: number | null;
  readonly policy: string | null;
  readonly usedBytes: number | null;
  readonly evictedKeys: number | null;
  readonly isPersistent: boolean | null;
  readonly clients: number | null;
  readonly maxClients: number | null;
  /** Whoever may not say PING reads a key. */
  readonly asksWith: 'PING' | 'GET';
  /** Milliseconds, sorted: of these, and of a script that reads one key. */
  readonly pingsMs: readonly number[];
  readonly scriptsMs: readonly number[];
  /** Commands that Limpet uses and this user may not. */
  readonly forbidden: readonly string[];
}

export interface RedisWanted {
  /** `state.redis.timeout`. */
  readonly timeoutMs: number;
  readonly prefix: string;
  /** Entries of all stick tables that this one will hold. */
  readonly entries: number;
  /** Whether one that has no replica is worth a word. */
  readonly wantsReplicas: boolean;
}

/** Of 24-character ids, with all that Redis needs to keep them. */
const ENTRY_BYTES = 200;

const { ok, note, warning, problem } = findings('Redis');

export function judgeRedisNode(node: RedisNode, wanted: RedisWanted): Finding[] {
  if (node.trouble !== null) return [problem(`${node.place}: ${node.trouble}`, REACH)];
  return [
    ok(`${node.place} is ${node.version ?? 'there; its version may not be asked'}`),
    ...latencyFindings(node, wanted.timeoutMs),
    ...memoryFindings(node, wanted.entries),
    ...replicaFindings(node, wanted.wantsReplicas),
    ...rightsFindings(node, wanted.prefix),
    ...doorFindings(node),
    ...persistenceFindings(node),
  ];
}

const REACH =
  'see from this host: redis-cli -h HOST -p PORT ping; meanwhile Limpet decides by itself, and shares nothing';

/** Of the sorted values the one that so many are not above. */
export function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
}

function latencyFindings({ place, asksWith, pingsMs, scriptsMs }: RedisNode, timeoutMs: number): Finding[] {
  if (pingsMs.length === 0) return [];
  const ms = (value: number): string => `${value < 10 ? value.toFixed(2) : Math.round(value)} ms`;
  const p99 = Math.max(quantile(pingsMs, 0.99), quantile(scriptsMs, 0.99));
  const script =
    scriptsMs.length === 0 ? '' : `; a script ${ms(quantile(scriptsMs, 0.5))}, 99 % ${ms(quantile(scriptsMs, 0.99))}`;
  const what = `${place} answers ${asksWith} in ${ms(pingsMs[0] ?? 0)} at best, half ${ms(quantile(pingsMs, 0.5))}, 99 % ${ms(quantile(pingsMs, 0.99))}${script}`;
  if (p99 >= timeoutMs)
    return [
      problem(
        `${what}: longer than state.redis.timeout (${timeoutMs} ms), so Limpet goes on without it`,
        'put Redis nearer; see redis-cli --latency and SLOWLOG GET, or write state: { redis: { timeout: … } }',
      ),
    ];
  if (p99 >= timeoutMs / 4)
    return [
      warning(`${what}: near to state.redis.timeout (${timeoutMs} ms)`, 'see redis-cli --latency and SLOWLOG GET'),
    ];
  return [ok(what)];
}

function memoryFindings(node: RedisNode, entries: number): Finding[] {
  const { place, maxmemoryBytes: most, usedBytes: used, policy, evictedKeys } = node;
  if (most === null || used === null) return [note(`${place}: its memory may not be asked (INFO)`)];
  const needed = entries * ENTRY_BYTES;
  const table = `${counted(entries, 'stick entry', 'stick entries')} need ${bytes(needed)}`;
  const found = [...policyFindings(node)];
  if (most === 0)
    found.push(
      note(
        `${place} has no maxmemory: ${table}, and a table that grows takes the memory of its host`,
        `maxmemory ${megabytes(2 * needed)}mb and maxmemory-policy noeviction in redis.conf`,
      ),
    );
  else if (most < Math.max(used, needed))
    found.push(
      warning(
        `${place} may use ${bytes(most)}, and uses ${bytes(used)}; ${table}. When it is full, new homes are not shared any more`,
        `redis-cli config set maxmemory ${megabytes(2 * needed)}mb, and in redis.conf`,
      ),
    );
  else found.push(ok(`${place} uses ${bytes(used)} of ${bytes(most)}, ${policy}; ${table}`));
  if (evictedKeys !== null && evictedKeys > 0)
    found.push(
      warning(
        `${place} has thrown away ${counted(evictedKeys, 'key')} for want of memory since its start: homes may be among them`,
        'redis-cli config set maxmemory-policy noeviction, and give it more memory',
      ),
    );
  return found;
}

function megabytes(value: number): number {
  return Math.max(64, Math.ceil(value / 1e6 / 64) * 64);
}

/** Everything of Limpet's has a time to live, so each of the volatile policies may hit it. */
function policyFindings({ place, policy }: RedisNode): Finding[] {
  if (policy === null || policy === 'noeviction') return [];
  const remedy =
    'redis-cli config set maxmemory-policy noeviction, and in redis.conf (when it is full, Limpet decides by itself and refuses nobody)';
  if (policy.startsWith('allkeys-'))
    return [
      problem(
        `${place} has the policy ${policy}: when memory is short it throws away homes of connected clients, and what operators set`,
        remedy,
      ),
    ];
  if (policy === 'volatile-ttl')
    return [
      warning(
        `${place} has the policy ${policy}: when memory is short it throws away first what the proxies tell each other, then entries of clients that left`,
        remedy,
      ),
    ];
  return [
    warning(
      `${place} has the policy ${policy}: when memory is short it throws away homes of connected clients too`,
      remedy,
    ),
  ];
}

function replicaFindings({ place, role, replicas }: RedisNode, wantsReplicas: boolean): Finding[] {
  if (role === 'slave')
    return [
      problem(
        `${place} is a replica and takes no writes`,
        'name the master in state.redis.url, or the sentinels in state.redis.sentinels',
      ),
    ];
  if (wantsReplicas && replicas === 0)
    return [
      warning(
        `${place} has no replica: when it dies, its part of the table is gone`,
        'replicaof HOST PORT in the redis.conf of another one',
      ),
    ];
  return [];
}

function rightsFindings({ place, forbidden }: RedisNode, prefix: string): Finding[] {
  if (forbidden.length === 0) return [ok(`${place}: the user may do all that Limpet does`)];
  return [
    problem(
      `${place}: the user may not ${forbidden.join(', ')}`,
      `redis-cli acl setuser NAME ~${prefix}:* ${forbidden.map(one => `+${one.toLowerCase().replace(' ', '|')}`).join(' ')}`,
    ),
  ];
}

function doorFindings({ place, isLocal, isEncrypted, hasPassword, clients, maxClients }: RedisNode): Finding[] {
  const found: Finding[] = [];
  if (!isLocal && !hasPassword)
    found.push(
      warning(
        `${place} is asked without a password: whoever reaches it can send every client elsewhere`,
        'requirepass or an ACL user in redis.conf, and state: { redis: { username, password } }',
      ),
    );
  if (!isLocal && !isEncrypted)
    found.push(
      note(
        `${place} is asked without TLS: client ids and the password can be read on the way`,
        'tls-port in redis.conf, and rediss:// in state.redis.url',
      ),
    );
  if (clients !== null && maxClients !== null && clients > 0.8 * maxClients)
    found.push(
      warning(
        `${place} has ${count(clients)} of ${count(maxClients)} connections (maxclients)`,
        `redis-cli config set maxclients ${2 * maxClients}`,
      ),
    );
  return found;
}

function persistenceFindings({ place, isPersistent }: RedisNode): Finding[] {
  if (isPersistent !== false) return [];
  return [
    note(
      `${place} writes nothing to disk: a restart of it forgets all homes but those of connected clients, which Limpet writes again`,
      'save 60 1000, or appendonly yes, in redis.conf',
    ),
  ];
}
