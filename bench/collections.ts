/**
 * Has the processes of a target collect their heaps (`collect_heaps.mjs`), and waits until they have.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { until } from '../packages/proxy/test/kit/condition.ts';
import { collectFlag } from './limpet.ts';
import type { Target } from './target.ts';

let made = 0;

/** `processes`: how many of the target have a heap; 0: it has none, and nothing is done. @throws Error where they did not within 20 s */
export async function collectHeaps(target: Target, processes: number): Promise<void> {
  if (processes === 0) return;
  made += 1;
  const wanted = String(made);
  const folder = dirname(target.directory.write(collectFlag, wanted));
  await until(() => collectedIn(folder, wanted) === processes, {
    what: 'the heaps to be collected',
    timeoutMs: 20_000,
  });
}

function collectedIn(folder: string, wanted: string): number {
  const told = readdirSync(folder).filter(name => name.startsWith('collected-'));
  return told.filter(name => readFileSync(join(folder, name), 'utf8') === wanted).length;
}
