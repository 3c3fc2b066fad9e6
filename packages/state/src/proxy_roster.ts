import type { OtherProxy } from './proxy_board.ts';
import type { Sheet } from './proxy_sheet.ts';
import { decodeProxy, isProxyName, type ProxyFacts } from './proxy_words.ts';

/** After that without a word a proxy is silent, and what it said of its servers counts no more. */
const silentAfterMs = 3000;
/** Other proxies that are read of. */
export const mostProxies = 64;

/** Something of another proxy, and when it was read. */
interface Heard<Value> {
  readonly sheet: Sheet<Value>;
  readonly atMs: number;
}

interface Known {
  readonly facts: ProxyFacts;
  readonly beatS: number;
  /** By this proxy's monotonic clock. */
  readonly beatAtMs: number;
  conns: Heard<number> | null;
  health: Heard<string> | null;
}

/**
 * What is known of the other proxies. How old a first beat is, is told by the clock of Redis; from then on a proxy is alive
 * as long as its beats change. So no clock needs to agree with another one, not even those of two Redis servers of which
 * one takes the other's place. `nowMs` is monotonic.
 */
export class ProxyRoster {
  #known = new Map<string, Known>();

  /** Name and words in turn, as Redis has them now, at `redisNowMs` of its own clock. Who is not among them is gone. */
  hear(fields: readonly unknown[], redisNowMs: number, nowMs: number): void {
    const known = new Map<string, Known>();
    for (let i = 0; i + 1 < fields.length && known.size < mostProxies; i += 2) {
      const name = String(fields[i]);
      const reading = isProxyName(name) ? decodeProxy(String(fields[i + 1])) : null;
      if (reading === null) continue;
      const { facts, beatS } = reading;
      const before = this.#known.get(name);
      const ageMs = before === undefined ? Math.max(0, redisNowMs - beatS * 1000) : 0;
      const beatAtMs = before?.beatS === beatS ? before.beatAtMs : nowMs - ageMs;
      known.set(name, { facts, beatS, beatAtMs, conns: before?.conns ?? null, health: before?.health ?? null });
    }
    this.#known = known;
  }

  hearConns(name: string, sheet: Sheet<number>, nowMs: number): void {
    const known = this.#known.get(name);
    if (known !== undefined) known.conns = { sheet, atMs: nowMs };
  }

  hearHealth(name: string, sheet: Sheet<string>, nowMs: number): void {
    const known = this.#known.get(name);
    if (known !== undefined) known.health = { sheet, atMs: nowMs };
  }

  /** By name. */
  others(nowMs: number): readonly OtherProxy[] {
    const others = [...this.#known].map(([name, { facts, beatAtMs, conns, health }]): OtherProxy => {
      const isAlive = isFresh(beatAtMs, nowMs);
      const sheets = { conns: fresh(conns, isAlive, nowMs), health: fresh(health, isAlive, nowMs) };
      const healthAgeMs = sheets.health === null || health === null ? null : nowMs - health.atMs;
      return { ...facts, name, isAlive, beatAgeMs: Math.round(nowMs - beatAtMs), ...sheets, healthAgeMs };
    });
    return others.sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}

/** Heard so lately that it counts. */
export function isFresh(atMs: number, nowMs: number): boolean {
  return nowMs - atMs <= silentAfterMs;
}

function fresh<Value>(heard: Heard<Value> | null, isAlive: boolean, nowMs: number): Sheet<Value> | null {
  return isAlive && heard !== null && isFresh(heard.atMs, nowMs) ? heard.sheet : null;
}

/**
 * How often proxies exchange. Where there are others their counts matter to `leastconn` and `maxconn`: ten times a second.
 * With many of them less often, so that one proxy never reads more than a hundred counts a second. Pure.
 */
export function exchangeEveryMs(othersAlive: number): number {
  return othersAlive === 0 ? 1000 : Math.max(100, othersAlive * 10);
}
