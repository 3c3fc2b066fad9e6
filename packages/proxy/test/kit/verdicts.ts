/**
 * What a Limpet's log says of its servers' health.
 */
import type { Limpet } from './limpet.ts';

export interface Transition {
  readonly to: 'UP' | 'DOWN';
  /** By the proxy's clock, which is ours. */
  readonly atMs: number;
  readonly reason: string;
}

/** The transitions of `BACKEND/SERVER`, oldest first. */
export function transitions(limpet: Limpet, server: string): Transition[] {
  return limpet
    .events(({ event }) => event === 'health')
    .flatMap(({ msg, time }) => {
      const [, name, to, reason = ''] = /^server (\S+) is (UP|DOWN), reason: (.*)$/.exec(String(msg)) ?? [];
      if (name !== server || (to !== 'UP' && to !== 'DOWN')) return [];
      return { to, atMs: Date.parse(String(time)), reason };
    });
}

/** Waits until that is the server's last word. */
export async function waitForTransition(limpet: Limpet, server: string, to: Transition['to']): Promise<Transition> {
  return limpet.process.waitUntil(
    `"${server} is ${to}"`,
    () => {
      const last = transitions(limpet, server).at(-1);
      return last?.to === to && last;
    },
    20_000,
  );
}
