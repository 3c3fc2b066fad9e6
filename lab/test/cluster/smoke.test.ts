/**
 * The laboratory itself, once and quickly: the real programs in their own namespaces, and nothing left of them.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { until } from '../../../packages/proxy/test/kit/condition.ts';
import { makeDirectory } from '../../../packages/proxy/test/kit/directory.ts';
import { startProcess } from '../../../packages/proxy/test/kit/process.ts';
import { whyNot } from '../../enclosure.ts';
import { moverKinds } from '../../mover.ts';
import { processesBelow } from '../../processes.ts';
import type { Results } from '../../report.ts';

const main = fileURLToPath(new URL('../../main.ts', import.meta.url));
const tsx = import.meta.resolve('tsx');
const runMs = 90_000;
/** On whatever machine this runs; the laboratory's own report has the figures. */
const gapMs = 5_000;

/** Where namespaces are forbidden (most containers) there is no laboratory: it says so, and this is skipped. */
const reason = await whyNot();
if (reason !== null) console.warn(reason);

test.skipIf(reason !== null).each(moverKinds)(
  'a killed proxy: the address moves by %s, and visitors come in again',
  async by => {
    await using directory = await makeDirectory('smoke');
    const json = directory.file('results.json');
    const words = `--by ${by} --faults proxy-killed --timing fast --runs 1 --crowd 0 --json ${json}`;
    const args = ['--import', tsx, main, ...words.split(' ')];
    await using lab = startProcess(process.execPath, args, { env: { NODE_OPTIONS: '' } });
    const hosts = await until(() => networksBelow(lab.pid), {
      what: 'the hosts',
      timeoutMs: runMs,
      seen: () => lab.tail(),
    });
    const exit = await lab.waitForExit(runMs);
    expect(exit, lab.tail()).toEqual({ code: 0, signal: null });
    const { series } = JSON.parse(readFileSync(json, 'utf8')) as Results;
    const [trial] = series[0]?.trials ?? [];
    expect(trial?.to).not.toBeNull();
    expect(trial?.to).not.toBe(trial?.from);
    expect(trial?.gapMs).toBeLessThan(gapMs);
    expect(processes().filter(pid => hosts.includes(networkOf(pid)))).toEqual([]);
  },
);

/** The network namespaces of the processes of a laboratory; null: its hosts do not all run something yet. */
function networksBelow(pid: number): string[] | null {
  const outside = networkOf('self');
  const all = processesBelow(pid).map(process => networkOf(String(process.pid)));
  const networks = [...new Set(all)].filter(network => network !== '' && network !== outside);
  // The enclosure's own, two proxies, the client, the brokers and Redis; the switch runs no program.
  return networks.length >= 6 ? networks : null;
}

function networkOf(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    // It has ended meanwhile, or is none of ours.
    return '';
  }
}

function processes(): string[] {
  return readdirSync('/proc').filter(name => /^\d+$/.test(name));
}
