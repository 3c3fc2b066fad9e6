import { buildCommand, type Config, LimpetError, relayHere } from '@limpet/proxy';
import type { RelaySeen } from '../judge/relay.ts';
import type { Running } from './kernel.ts';

/** What the running proxy uses; where none runs, what one would use here. */
export function readRelay(running: Running | null, config: Config | null): RelaySeen {
  const build = buildCommand();
  if (running !== null) return { kind: 'runs', words: running.info.relay, build };
  try {
    const words = relayHere(config?.global ?? { relay: 'auto', cpuMap: null, workers: 1 });
    return { kind: 'would run', words, build };
  } catch (error) {
    if (!(error instanceof LimpetError)) throw error;
    return { kind: 'none', why: error.message, remedy: error.remedy };
  }
}
