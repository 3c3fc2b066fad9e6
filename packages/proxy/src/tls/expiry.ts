/** What is to be said of a certificate's end. */
export interface ExpiryNotice {
  readonly level: 'warn' | 'error';
  readonly event: 'tls_cert_expires' | 'tls_cert_expired';
  /** Whole days that are left; negative: days since. */
  readonly days: number;
  readonly message: string;
}

const DAY_MS = 86_400_000;
/** Days before the end at which it is said again. */
const STAGES: readonly number[] = [30, 7, 1];

/**
 * Says that a certificate ends within 30, 7 or 1 days, once for each of these, and every day when it has expired. `lastToldMs`
 * is when something was last said of this certificate; null: never. Null: nothing is to be said now.
 */
export function expiryNotice(
  path: string,
  validToMs: number,
  nowMs: number,
  lastToldMs: number | null,
): ExpiryNotice | null {
  const stage = stageAt(validToMs - nowMs);
  if (stage === null) return null;
  if (lastToldMs !== null) {
    const isNewStage = stageAt(validToMs - lastToldMs) !== stage;
    const isDaily = stage === 'expired' && nowMs - lastToldMs >= DAY_MS;
    if (!isNewStage && !isDaily) return null;
  }
  const days = Math.floor((validToMs - nowMs) / DAY_MS);
  const day = new Date(validToMs).toISOString();
  if (stage === 'expired') {
    return {
      level: 'error',
      event: 'tls_cert_expired',
      days,
      message: `the certificate in ${path} has expired on ${day}`,
    };
  }
  const left = days < 1 ? 'less than a day' : days === 1 ? '1 day' : `${days} days`;
  return {
    level: 'warn',
    event: 'tls_cert_expires',
    days,
    message: `the certificate in ${path} ends in ${left}, on ${day}`,
  };
}

function stageAt(leftMs: number): number | 'expired' | null {
  if (leftMs <= 0) return 'expired';
  return STAGES.findLast(days => leftMs <= days * DAY_MS) ?? null;
}
