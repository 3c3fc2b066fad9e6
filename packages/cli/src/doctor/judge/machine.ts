import { bytes, counted } from '../../output/numbers.ts';
import { type Finding, findings } from '../finding.ts';
import type { Load } from '../load.ts';

export interface Machine {
  /** `v20.20.2`. */
  readonly node: string;
  /** Each worker can have listening sockets of its own, by this Node.js or by the native addon. */
  readonly ownSockets: boolean;
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

/** Measured, as docs/scaling.md tells: a process that serves nobody; an idle session in its worker, and its two sockets in the kernel. */
const PROCESS_BYTES = 60e6;
const SESSION_BYTES = 21 * 1024;
const TLS_SESSION_BYTES = 41 * 1024;

export function judgeMachine(machine: Machine, load: Load): Finding[] {
  return [nodeFinding(machine), processorFinding(machine, load), ...memoryFindings(machine, load)];
}

function nodeFinding({ node: version, ownSockets }: Machine): Finding {
  if (ownSockets) return node.ok(version);
  return node.note(
    `${version} serves, but without the native addon all workers share one listening socket: clients are spread unevenly`,
    'build the addon (docs/data-plane.md), or install Node.js 22.12 or later (https://nodejs.org)',
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

function memoryFindings({ memoryBytes, memoryLimitBytes, swapBytes }: Machine, load: Load): Finding[] {
  return [roomFinding(memoryBytes, memoryLimitBytes, load), ...swapFindings(swapBytes)];
}

/** Storms and handshakes want twice what idle sessions do. */
function roomFinding(host: number | null, group: number | null, load: Load): Finding {
  const needed = (load.workers + 1) * PROCESS_BYTES + load.maxconn * sessionBytes(load);
  const what = `${counted(load.maxconn, 'idle session')}${load.hasTls ? ' with TLS' : ''} need about ${bytes(needed)}`;
  const limits = [host, group].filter(limit => limit !== null);
  if (limits.length === 0) return memory.note(`${what}; how much there is cannot be read`);
  const room = Math.min(...limits);
  const told = `${what}, ${room === host ? 'this host has' : 'the control group allows'} ${bytes(room)}`;
  if (2 * needed <= room) return memory.ok(told);
  const remedy = `write global: { maxconn: ${fitting(room, load)} }, or give it more memory`;
  return needed > room
    ? memory.problem(told, remedy)
    : memory.warning(`${told}: little is left for storms and for clients that do not read`, remedy);
}

function sessionBytes({ hasTls }: Load): number {
  return hasTls ? TLS_SESSION_BYTES : SESSION_BYTES;
}

/** As many sessions as there is memory for, twice. */
function fitting(room: number, load: Load): number {
  const sessions = (room / 2 - (load.workers + 1) * PROCESS_BYTES) / sessionBytes(load);
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
