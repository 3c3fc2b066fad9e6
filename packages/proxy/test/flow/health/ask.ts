import type { CheckConfig, ProbeConfig, ServerConfig } from '../../../src/config/resolved.ts';
import type { CheckResult, ProbeOutcome } from '../../../src/health/check_status.ts';
import { createProbe } from '../../../src/health/probe.ts';
import { createBrokerTls } from '../../../src/tls/dial_tls.ts';
import { keptLog } from '../tls/tls_server.ts';
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
  const target = serverConfig('a', port, server);
  const tls = target.tls === null ? null : await createBrokerTls(target.tls, target.host, keptLog().log);
  try {
    const means = { encodeLocalHeader: localHeader, tls: () => tls };
    return await createProbe(target, config, 'limpet-check-t-1', means)('127.0.0.1', signal);
  } finally {
    tls?.close();
  }
}

/** The result of a check that was made. */
export async function result(...args: Parameters<typeof ask>): Promise<CheckResult> {
  const outcome = await ask(...args);
  if (outcome.kind !== 'checked') throw new Error(`not made: ${outcome.code}`);
  return outcome.result;
}
