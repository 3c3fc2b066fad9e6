import type { CheckConfig, ProbeConfig, ServerConfig } from '../../../src/config/resolved.ts';
import type { CheckResult, ProbeOutcome } from '../../../src/health/check_status.ts';
import { createProbe } from '../../../src/health/probe.ts';
import { checkConfig, localHeader, serverConfig } from './servers.ts';

/** Makes one check of 127.0.0.1. */
export async function ask(
  port: number,
  probe: ProbeConfig,
  check: Partial<CheckConfig> = {},
  server: Partial<ServerConfig> = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<ProbeOutcome> {
  const config = checkConfig(probe, check);
  return createProbe(serverConfig('a', port, server), config, 'limpet-check-t-1', localHeader)('127.0.0.1', signal);
}

/** The result of a check that was made. */
export async function result(...args: Parameters<typeof ask>): Promise<CheckResult> {
  const outcome = await ask(...args);
  if (outcome.kind !== 'checked') throw new Error(`not made: ${outcome.code}`);
  return outcome.result;
}
