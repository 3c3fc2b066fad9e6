import { readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, resolve } from 'node:path';
import { type Document, isMap, isPair, isScalar, LineCounter, parseDocument, visit } from 'yaml';
import type { Hook, HookSet } from '../host/hooks.ts';
import type { Terms } from '../pair/terms.ts';
import type { VipConfig } from './config.ts';
import { exposure } from './exposure.ts';
import { type Fault, tellIssues } from './faults.ts';
import { knownKeys } from './known_keys.ts';
import { resolveRedis } from './redis.ts';
import { type RawVip, vipSchema } from './schema.ts';

/** Each problem says file, line, column, what is wrong, and on a line of its own what would be right. */
export type LoadedVip =
  | { readonly ok: true; readonly config: VipConfig; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly problems: readonly string[] };

const longestFile = 65_536;
const shortestSecret = 16;
const usual = { intervalMs: 200, leaseMs: 1_000 };
const fast = { intervalMs: 20, leaseMs: 250 };

/** Reads vip.yaml. Never throws, and starts nothing. */
export function loadVipConfig(path: string, env: NodeJS.ProcessEnv = process.env): LoadedVip {
  const problems: string[] = [];
  const bare = (what: string, remedy: string): LoadedVip => ({
    ok: false,
    problems: [`${path}: ${what}\n    ${remedy}`],
  });
  let source: string;
  let mode: number;
  try {
    const status = statSync(path);
    mode = status.mode;
    if (status.size > longestFile) return bare('it is too long', `Write less than ${longestFile} bytes.`);
    source = readFileSync(path, 'utf8');
  } catch (error) {
    return bare(`it cannot be read (${(error as NodeJS.ErrnoException).code})`, 'Check the path and its rights.');
  }
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, maxAliasCount: 0 } as object);
  const fault: Fault = (keys, what, remedy) => {
    const { line, col } = lines.linePos(offsetOf(document, keys));
    const key = keys.map(String).join('.');
    problems.push(`${path}:${line}:${col}: ${key === '' ? '' : `\`${key}\`: `}${what}\n    ${remedy}`);
  };
  for (const { message, pos } of document.errors) {
    const { line, col } = lines.linePos(pos[0]);
    problems.push(`${path}:${line}:${col}: ${message.split('\n')[0]}\n    Mend the YAML.`);
  }
  if (problems.length > 0) return { ok: false, problems };
  const warnings = exposure(path, mode, keys => document.getIn(keys));
  expandAll(document, env, fault);
  const parsed = vipSchema.safeParse(document.toJS());
  if (!parsed.success)
    tellIssues(
      parsed.error,
      { isWritten: keys => document.hasIn(keys), known: keys => knownKeys(vipSchema, keys) },
      fault,
    );
  else {
    const config = resolveVip(parsed.data, dirname(resolve(path)), fault);
    if (problems.length === 0) return { ok: true, config, warnings };
  }
  return { ok: false, problems };
}

/** Where a key stands, or the nearest one above it. */
function offsetOf(document: Document, keys: readonly PropertyKey[]): number {
  for (let length = keys.length; length > 0; length--) {
    const above = document.getIn(keys.slice(0, length - 1), true);
    const pair = isMap(above)
      ? above.items.find(({ key }) => isScalar(key) && key.value === keys[length - 1])
      : undefined;
    const key = isPair(pair) && isScalar(pair.key) ? pair.key : document.getIn(keys.slice(0, length), true);
    if (isScalar(key) && key.range) return key.range[0];
  }
  return 0;
}

/** `${NAME}`, as in limpet.yaml. */
export function expandAll(document: Document, env: NodeJS.ProcessEnv, fault: Fault): void {
  visit(document, {
    Scalar(key, node) {
      if (key === 'key' || typeof node.value !== 'string') return;
      node.value = node.value.replaceAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_, name: string) => {
        const value = env[name];
        if (value === undefined) fault([], `the environment variable ${name} is not set`, `Set ${name}.`);
        return value ?? '';
      });
    },
  });
}

function resolveVip(raw: RawVip, folder: string, fault: Fault): VipConfig {
  const file = (name: string | undefined): string | null => (name === undefined ? null : resolve(folder, name));
  checkPair(raw, fault);
  const terms = termsOf(raw, fault);
  const hooks = hooksOf(raw, folder);
  if (raw.address_by === 'hook' && hooks.onActive === null) {
    fault(['address_by'], 'nothing would move the address', 'Add hooks.on_active, or write `address_by: ip`.');
  }
  const { redis } = raw;
  return {
    name: raw.name,
    addresses: raw.address,
    device: raw.interface,
    addressBy: raw.address_by,
    self: raw.self,
    peer: raw.peer,
    secret: secretOf(raw, folder, fault),
    terms,
    isRealtime: raw.realtime ?? raw.fast,
    redis:
      redis === undefined
        ? null
        : {
            target: resolveRedis(redis, folder, fault),
            prefix: redis.prefix,
            timeoutMs: redis.timeout,
            name: `limpet-vip-${hostname()}`,
          },
    redisDeadlineMs: redis?.timeout ?? 0,
    trackFile: file(raw.track_file),
    notifyFifo: file(raw.notify_fifo),
    hooks,
  };
}

function checkPair({ self, peer, address }: RawVip, fault: Fault): void {
  if (self.text === peer.text) fault(['peer'], 'this is the same as self', 'Write where the other host listens.');
  if (self.family !== peer.family) fault(['peer'], 'self is of the other IP family', 'Use one family for both.');
  for (const [i, one] of address.entries()) {
    if (one.address === self.host || one.address === peer.host) {
      fault(
        ['address', i],
        'a host of the pair has this address',
        'Heartbeats need addresses that stay where they are.',
      );
    }
    if (address.findIndex(other => other.address === one.address) !== i) {
      fault(['address', i], 'this address is written twice', 'Remove one of them.');
    }
  }
}

function termsOf(raw: RawVip, fault: Fault): Terms {
  const standard = raw.fast ? fast : usual;
  const intervalMs = raw.interval ?? standard.intervalMs;
  const deadMs = raw.dead_after ?? intervalMs * 3;
  const leaseMs = raw.lease ?? Math.max(standard.leaseMs, deadMs * 1.5);
  if (deadMs < intervalMs * 2) {
    fault(
      ['dead_after'],
      'one lost heartbeat would be enough',
      `Write at least ${intervalMs * 2}ms, or a shorter interval.`,
    );
  }
  if (leaseMs < deadMs) fault(['lease'], 'it is shorter than dead_after', `Write at least ${deadMs}ms.`);
  const index = raw.self.text < raw.peer.text ? 0 : 1;
  const { priority, preempt } = raw;
  return { index, priority, preempt, intervalMs, deadMs, leaseMs, hasRedis: raw.redis !== undefined };
}

function hooksOf({ hooks }: RawVip, folder: string): HookSet {
  const hook = (raw: string | readonly string[] | undefined): Hook | null => {
    if (raw === undefined) return null;
    const [program = '', ...args] = typeof raw === 'string' ? [raw] : raw;
    return [program.includes('/') ? resolve(folder, program) : program, ...args];
  };
  const { on_active, on_standby, on_fault, timeout } = hooks;
  return { onActive: hook(on_active), onStandby: hook(on_standby), onFault: hook(on_fault), timeoutMs: timeout };
}

function secretOf({ secret, secret_file: name }: RawVip, folder: string, fault: Fault): string {
  const key = name === undefined ? 'secret' : 'secret_file';
  if (secret !== undefined && name !== undefined) fault([key], 'secret says it already', 'Remove one of them.');
  const found = name === undefined ? (secret ?? '') : readSecret(resolve(folder, name), fault);
  const remedy = 'Make one with `openssl rand -hex 32`, the same for both hosts.';
  if (found !== null && found.length < shortestSecret) {
    fault([key], `a secret of at least ${shortestSecret} characters is needed`, remedy);
  }
  return found ?? '';
}

/** Null: it cannot be used, and that was told. */
function readSecret(path: string, fault: Fault): string | null {
  try {
    const { mode, size } = statSync(path);
    if ((mode & 0o007) === 0 && size <= 1_024) return readFileSync(path, 'utf8').trim();
    fault(['secret_file'], size > 1_024 ? 'the file is too long' : 'everybody may read it', `chmod 0640 ${path}`);
  } catch (error) {
    fault(
      ['secret_file'],
      `it cannot be read (${(error as NodeJS.ErrnoException).code})`,
      'Check the path and its rights.',
    );
  }
  return null;
}
