/** What a proxy tells of itself. */
export interface ProxyFacts {
  readonly version: string;
  readonly role: 'active' | 'standby';
  /** Whether it can serve: of a pair, whether it could be the active one. Null: not known, an older release does not say. */
  readonly ready: boolean | null;
  /** The virtual addresses it is one of a pair for; empty: it has none. */
  readonly vip: readonly string[];
  /** By the clock of its own host; 0: not known. */
  readonly startedAtMs: number;
}

/** A field of the hash, read. */
export interface ProxyReading {
  readonly facts: ProxyFacts;
  /** Tells processes of one name apart. Empty: none is given. */
  readonly instance: string;
  /** Seconds of Redis' own clock. */
  readonly beatS: number;
}

const versionShape = /^[\w.+-]{1,32}$/;
const instanceShape = /^[0-9a-f]{8}$/;
const addressShape = /^[0-9a-fA-F.:]{2,45}$/;
const beatShape = /^\d{1,12}(?:\.\d{1,6})?$/;
const nameShape = /^[A-Za-z0-9_.-]{1,64}$/;
/** A pair has one or two. */
const mostAddresses = 16;
/** Ours are seven; a later release may have more. */
const mostWords = 32;

/** `version=0.1.0 start=2026-11-20T18:00:00.000Z role=active ready=yes vip=10.0.0.100 instance=3f9a01bc`; the beat comes behind it. */
export function encodeProxy({ version, role, ready, vip, startedAtMs }: ProxyFacts, instance: string): string {
  const addresses = vip.length === 0 ? 'none' : vip.join(',');
  const start = new Date(startedAtMs).toISOString();
  const readiness = ready === null ? '' : ` ready=${ready ? 'yes' : 'no'}`;
  return `version=${version} start=${start} role=${role}${readiness} vip=${addresses} instance=${instance}`;
}

/**
 * Reads a field, leniently, for another release may have written it: words in any order, unknown ones are passed over, and
 * what is missing or damaged is as if it were not there. Null: it has no beat, so it is no proxy's. Pure.
 */
export function decodeProxy(value: string): ProxyReading | null {
  const words = new Map(value.split(/\s+/).slice(0, mostWords).map(keyAndValue));
  const shaped = (key: string, shape: RegExp): string => {
    const word = words.get(key) ?? '';
    return shape.test(word) ? word : '';
  };
  const beat = shaped('beat', beatShape);
  if (beat === '') return null;
  const startedAtMs = Date.parse(words.get('start') ?? '');
  const facts: ProxyFacts = {
    version: shaped('version', versionShape),
    role: words.get('role') === 'standby' ? 'standby' : 'active',
    ready: readinessOf(words.get('ready')),
    vip: (words.get('vip') ?? '').split(',', mostAddresses).filter(address => addressShape.test(address)),
    startedAtMs: Number.isFinite(startedAtMs) ? startedAtMs : 0,
  };
  return { facts, instance: shaped('instance', instanceShape), beatS: Number(beat) };
}

/** Whether a proxy may be called so, as in its configuration. */
export function isProxyName(name: string): boolean {
  return nameShape.test(name);
}

function readinessOf(word: string | undefined): boolean | null {
  return word === 'yes' || word === 'no' ? word === 'yes' : null;
}

function keyAndValue(word: string): [key: string, value: string] {
  const at = word.indexOf('=');
  return at < 0 ? [word, ''] : [word.slice(0, at), word.slice(at + 1)];
}
