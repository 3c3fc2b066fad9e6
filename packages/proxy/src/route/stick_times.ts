import type { StickTimes } from '@limpet/state';
import type { BackendConfig, StickConfig } from '../config/resolved.ts';

/** More than the timer wheel's tick and a busy event loop add to the deadlines. */
const SLACK_MS = 1000;

/** The times of a backend's table: a claim outlives every attempt that may follow it. */
export function stickTimes(backend: BackendConfig, stick: StickConfig): StickTimes {
  const attempts = 1 + backend.retries;
  return { pendingMs: attempts * (backend.connectMs + backend.connackMs) + SLACK_MS, expireMs: stick.expireMs };
}
