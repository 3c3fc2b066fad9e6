import { bytes, counted } from '../../output/numbers.ts';
import { type Finding, findings } from '../finding.ts';
import type { Load } from '../load.ts';

export interface Machine {
  /** `v20.20.2`. */
  readonly node: string;
  /** Processors that this process may use. */
  readonly cpus: number;
  /** Processors' worth of time that the control group gives; null: no limit. */
  readonly cpuQuota: number | null;
  readonly memoryBytes: number | null;
  /** Of the control group; null: no limit. */
  readonly memoryLimitBytes: number | null;
  readonly swapBytes: number | null;
}

const node = findings('Node.js');
const processor = findings('processors');
const memory = findings('memory');

/** A Node.js process of Limpet that serves nobody. */
const PROCESS_BYTES = 110e6;
/**
 * An idle session without TLS: 18 kB in its worker, measured with 6,000 of them, and two sockets in the kernel. docs/operations.md
 * says it too.
 */
const SESSION_BYTES = 26e3;

export function judgeMachine(machine: Machine, load: Load): Finding[] {
  return [nodeFinding(machine.node), processorFinding(machine, load), ...memoryFindings(machine, load)];
}

function nodeFinding(version: string): Finding {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const hasReusePort = major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12);
  if (hasReusePort) return node.ok(version);
  return node.note(
    `${version} serves; from 22.12 on each worker has listening sockets of its own, which spreads clients more evenly`,
    'install Node.js 22 or later (https://nodejs.org)',
  );
}

function processorFinding({ cpus, cpuQuota }: Machine, { workers }: Load): Finding {
  const what = `${counted(workers, 'worker')} on ${counted(cpus, 'processor')}`;
  if (cpuQuota !== null && cpuQuota < Math.min(workers, cpus))
    return processor.warning(
      `${what}, but the control group gives time of ${cpuQuota.toFixed(1)}: workers stand still in between`,
      'raise CPUQuota= (or cpu.max), or write global: { workers: 1 } or as many as there is time for',
    );
  if (workers > cpus) return processor.warning(`${what}: they wait for each other`, 'write global: { workers: auto }');
  if (workers < cpus) return processor.note(`${what}: the others are left to the rest of this host`);
  return processor.ok(what);
}

function memoryFindings({ memoryBytes, memoryLimitBytes, swapBytes }: Machine, { maxconn, workers }: Load): Finding[] {
  const limits = [memoryBytes, memoryLimitBytes].filter(limit => limit !== null);
  const needed = (workers + 1) * PROCESS_BYTES + maxconn * SESSION_BYTES;
  const what = `${counted(maxconn, 'session')} need about ${bytes(needed)}`;
  const swap = swapFindings(swapBytes);
  if (limits.length === 0) return [memory.note(`${what}; how much there is cannot be read`), ...swap];
  const room = Math.min(...limits);
  const where = room === memoryBytes ? 'this host has' : 'the control group allows';
  const told = `${what}, ${where} ${bytes(room)}`;
  if (needed > room)
    return [
      memory.problem(told, `write global: { maxconn: ${fitting(room, workers)} }, or give it more memory`),
      ...swap,
    ];
  return [
    needed > 0.7 * room
      ? memory.warning(
          `${told}: little is left for stalled clients and for others`,
          'lower global.maxconn, or give it more memory',
        )
      : memory.ok(told),
    ...swap,
  ];
}

/** As many sessions as there is memory for, with some to spare. */
function fitting(room: number, workers: number): number {
  const sessions = (0.7 * (room - (workers + 1) * PROCESS_BYTES)) / SESSION_BYTES;
  return Math.max(1, Math.floor(sessions / 1_000)) * 1_000;
}

function swapFindings(swapBytes: number | null): Finding[] {
  if (swapBytes === null || swapBytes === 0) return [];
  return [
    memory.note(
      `this host swaps (${bytes(swapBytes)}): a proxy whose memory is written to disk stands still when it is read back`,
      'systemctl edit limpet: [Service] MemorySwapMax=0',
    ),
  ];
}
