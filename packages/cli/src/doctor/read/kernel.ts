import { readdirSync } from 'node:fs';
import type { Info, Peer, Worker } from '../../admin/facts.ts';
import type { Backlog } from '../judge/backlog.ts';
import type { Conntrack } from '../judge/conntrack.ts';
import type { FileLimit, OpenFiles } from '../judge/open_files.ts';
import type { Ports } from '../judge/ports.ts';
import type { TcpMemory } from '../judge/tcp_memory.ts';
import { numberOf, numbersOf, textOf } from './text.ts';

/** The proxy that runs here, as its runtime API tells. */
export interface Running {
  readonly info: Info;
  readonly workers: readonly Worker[];
  readonly proxies: readonly Peer[];
}

const PAGE = 4096;

export function readOpenFiles(running: Running | null): OpenFiles {
  const processes = running === null ? [] : [{ name: 'primary', pid: running.info.pid }, ...running.workers];
  return {
    shell: fileLimit(textOf('/proc/self/limits')),
    processes: processes.map(({ name, pid }) => ({ name, limit: fileLimit(textOf(`/proc/${pid}/limits`)) })),
    nrOpen: numberOf('/proc/sys/fs/nr_open'),
    used: numberOf('/proc/sys/fs/file-nr'),
    fileMax: numberOf('/proc/sys/fs/file-max'),
  };
}

/** `Max open files  1024  524288  files`. Node.js has raised its own soft limit, and asks its shell for the one before. */
export function fileLimit(text: string | null): FileLimit | null {
  const found = /^Max open files\s+(\d+|unlimited)\s+(\d+|unlimited)/m.exec(text ?? '');
  if (found === null) return null;
  const [soft = 0, hard = 0] = found
    .slice(1)
    .map(one => (one === 'unlimited' ? Number.POSITIVE_INFINITY : Number(one)));
  return { soft, hard };
}

export function readPorts(): Ports {
  const [first, last] = numbersOf('/proc/sys/net/ipv4/ip_local_port_range') ?? [];
  return {
    range: first === undefined || last === undefined ? null : [first, last],
    reserved: textOf('/proc/sys/net/ipv4/ip_local_reserved_ports'),
    reuse: numberOf('/proc/sys/net/ipv4/tcp_tw_reuse'),
  };
}

/** Its directory is there without the module in some network namespaces: then it has no values. */
export function readConntrack(): Conntrack {
  const max = numberOf('/proc/sys/net/netfilter/nf_conntrack_max') ?? numberOf('/proc/sys/net/nf_conntrack_max');
  return max === null ? null : { max, count: numberOf('/proc/sys/net/netfilter/nf_conntrack_count') };
}

export function readBacklog(): Backlog {
  return {
    somaxconn: numberOf('/proc/sys/net/core/somaxconn'),
    synBacklog: numberOf('/proc/sys/net/ipv4/tcp_max_syn_backlog'),
    synCookies: numberOf('/proc/sys/net/ipv4/tcp_syncookies'),
    netdev: numberOf('/proc/sys/net/core/netdev_max_backlog'),
  };
}

export function readTcpMemory(): TcpMemory {
  const [, pressure, most] = numbersOf('/proc/sys/net/ipv4/tcp_mem') ?? [];
  return {
    pressureBytes: pressure === undefined ? null : pressure * PAGE,
    mostBytes: most === undefined ? null : most * PAGE,
    receiveBytes: numbersOf('/proc/sys/net/ipv4/tcp_rmem')?.[1] ?? null,
    sendBytes: numbersOf('/proc/sys/net/ipv4/tcp_wmem')?.[1] ?? null,
  };
}

/** Whether a program is where programs are. */
export function isInstalled(name: string): boolean {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin', '/usr/bin', '/bin', '/usr/local/sbin'];
  return folders.some(folder => namesIn(folder).includes(name));
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
