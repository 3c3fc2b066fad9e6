import type { CheckConfig, Mode, ProbeConfig } from './resolved.ts';
import { CHECK_DEFAULTS, type CheckType, type Preset, type RawCheck } from './schema/check.ts';

/** A key of the check that does not fit the others, to be reported where it stands. */
export interface CheckFault {
  readonly key: keyof RawCheck;
  readonly message: string;
  readonly remedy: string;
}

interface HttpTarget {
  readonly path: string;
  readonly port: number;
  readonly expect: readonly number[];
}

/** What the brokers document for load balancers. All of them answer without credentials. */
const PRESETS: Readonly<Record<Preset, HttpTarget>> = {
  emqx: { path: '/api/v5/load_rebalance/availability_check', port: 18_083, expect: [200] },
  hivemq: { path: '/api/v1/health/readiness', port: 8889, expect: [200] },
  rabbitmq: { path: '/api/health/checks/is-in-service', port: 15_672, expect: [200] },
  vernemq: { path: '/health', port: 8888, expect: [200] },
};

const KEYS_OF: Readonly<Record<CheckType, ReadonlyArray<keyof RawCheck>>> = {
  mqtt: ['username', 'password'],
  tcp: [],
  http: ['preset', 'method', 'path', 'host', 'expect'],
};
const TYPES: readonly CheckType[] = ['mqtt', 'tcp', 'http'];

/** A check whose type is known. */
export type TypedCheck = RawCheck & { readonly type: CheckType };

function typeOf(check: RawCheck): CheckType | undefined {
  return check.type ?? (check.preset === undefined ? undefined : 'http');
}

/** What stands behind the server's port, as far as it matters for a check. */
export interface Checked {
  readonly mode: Mode;
  /** It speaks WebSocket, which no check does. */
  readonly isWebSocket: boolean;
}

/**
 * Lays a server's check over its backend's. Where the server's is of another type, what belongs to the backend's type
 * alone is left behind. Where neither names a type, it is what the port can answer.
 */
export function overlay(
  backend: RawCheck | false,
  server: RawCheck | false | undefined,
  checked: Checked,
): TypedCheck | null {
  if (server === false || (server === undefined && backend === false)) return null;
  const base = backend === false ? {} : backend;
  const port = server?.port ?? base.port;
  const isPlainMqtt = checked.mode === 'mqtt' && (!checked.isWebSocket || port !== undefined);
  const standard = isPlainMqtt ? 'mqtt' : 'tcp';
  const typeOfBase = typeOf(base) ?? standard;
  const type = (server === undefined ? undefined : typeOf(server)) ?? typeOfBase;
  const foreign: ReadonlySet<string> = new Set(TYPES.filter(other => other !== type).flatMap(other => KEYS_OF[other]));
  const kept = Object.entries(base).filter(([key]) => typeOfBase === type || !foreign.has(key));
  return { ...Object.fromEntries(kept), ...server, type };
}

/** Keys that do not fit the type of check, or that want another one. */
export function checkFaults(check: TypedCheck, { mode, isWebSocket }: Checked): readonly CheckFault[] {
  const { type } = check;
  const faults: CheckFault[] = [];
  for (const other of TYPES.filter(one => one !== type)) {
    for (const key of KEYS_OF[other].filter(one => check[one] !== undefined)) {
      const message = `\`${key}\` belongs to a check of type ${other}, and this one is of type ${type}`;
      faults.push({ key, message, remedy: `Write \`type: ${other}\`, or remove the key.` });
    }
  }
  if (type === 'mqtt' && check.password !== undefined && check.username === undefined) {
    // MQTT 3.1.1, 3.1.2.9: without a user name there must be no password.
    faults.push({ key: 'password', message: 'A password wants a user name', remedy: 'Add `username`.' });
  }
  if (type === 'mqtt' && isWebSocket && check.port === undefined) {
    const remedy = 'Write `type: tcp`, or add the `port` of its plain MQTT listener.';
    faults.push({ key: 'type', message: 'A check of type mqtt speaks no WebSocket, and the server does', remedy });
  }
  if (type === 'http' && mode === 'mqtt' && check.port === undefined && check.preset === undefined) {
    const remedy = 'Add `port`, or a `preset`.';
    faults.push({ key: 'type', message: 'A check of type http wants a port: the one for MQTT speaks no HTTP', remedy });
  }
  return faults;
}

function probeOf(check: TypedCheck, target: HttpTarget | null): ProbeConfig {
  switch (check.type) {
    case 'tcp':
      return { type: 'tcp' };
    case 'mqtt':
      return { type: 'mqtt', username: check.username ?? null, password: check.password ?? null };
    case 'http':
      return {
        type: 'http',
        method: check.method ?? CHECK_DEFAULTS.method,
        path: check.path ?? target?.path ?? CHECK_DEFAULTS.path,
        host: check.host ?? null,
        expect: check.expect ?? target?.expect ?? CHECK_DEFAULTS.expect,
      };
  }
}

/** The check with every default filled in. */
export function completeCheck(check: TypedCheck): CheckConfig {
  const target = check.preset === undefined ? null : PRESETS[check.preset];
  const interMs = check.inter ?? CHECK_DEFAULTS.inter;
  return {
    probe: probeOf(check, target),
    interMs,
    fastinterMs: check.fastinter ?? Math.min(interMs, CHECK_DEFAULTS.fastinterAtMost),
    downinterMs: check.downinter ?? interMs,
    rise: check.rise ?? CHECK_DEFAULTS.rise,
    fall: check.fall ?? CHECK_DEFAULTS.fall,
    timeoutMs: check.timeout ?? Math.min(interMs, CHECK_DEFAULTS.timeoutAtMost),
    port: check.port ?? target?.port ?? null,
  };
}
