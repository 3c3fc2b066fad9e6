import { type Finding, findings } from '../finding.ts';

export interface Clock {
  /** Null: nobody here knows. */
  readonly synchronised: boolean | null;
  /** Who said so: `timedatectl`. */
  readonly by: string | null;
  /** How far the clock of Redis is ahead of ours, with half of the way there taken off; null: not asked. */
  readonly redisAheadMs: number | null;
}

const { ok, note, warning } = findings('clock');

const FAR_MS = 1_000;

/** Limpet itself compares no two hosts' clocks; whoever reads their logs beside each other does, and certificates do. */
export function judgeClock({ synchronised, by, redisAheadMs }: Clock): Finding[] {
  return [synchronisedFinding(synchronised, by), ...(redisAheadMs === null ? [] : [redisFinding(redisAheadMs)])];
}

function synchronisedFinding(synchronised: boolean | null, by: string | null): Finding {
  if (synchronised === null)
    return note('nobody here knows whether it is set by the network (no timedatectl or chronyc answers)');
  if (synchronised) return ok(`set by the network (${by})`);
  return warning(
    `not set by the network (${by}): times in the logs of two hosts cannot be compared`,
    'apt-get install chrony, or timedatectl set-ntp true',
  );
}

function redisFinding(aheadMs: number): Finding {
  const off = Math.abs(Math.round(aheadMs));
  const what = `that of Redis ${off < 2 ? 'is the same' : `is ${off} ms ${aheadMs > 0 ? 'ahead' : 'behind'}`}`;
  return off < FAR_MS
    ? ok(what)
    : note(`${what}: harmless for Limpet, whose times in Redis are all by the clock of Redis`);
}
