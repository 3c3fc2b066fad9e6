import { bytes, counted } from '../../output/numbers.ts';
import { type Finding, findings, sysctl } from '../finding.ts';
import type { Load } from '../load.ts';

export interface TcpMemory {
  /** `net.ipv4.tcp_mem`: low, pressure, most; bytes. */
  readonly mostBytes: number | null;
  readonly pressureBytes: number | null;
  /** Middle values of `tcp_rmem` and `tcp_wmem`: what a socket's buffers may hold at its start. */
  readonly receiveBytes: number | null;
  readonly sendBytes: number | null;
}

const { ok, note, problem, warning } = findings('TCP memory');

const PAGE = 4096;

/** Idle sockets hold next to nothing; in a storm each of them holds a page or two. */
export function judgeTcpMemory(
  { mostBytes, pressureBytes, receiveBytes, sendBytes }: TcpMemory,
  { maxconn }: Load,
): Finding[] {
  if (mostBytes === null || pressureBytes === null) return [note('net.ipv4.tcp_mem cannot be read')];
  const sockets = 2 * maxconn;
  const each = Math.floor(mostBytes / sockets);
  const what = `net.ipv4.tcp_mem lets all sockets together hold ${bytes(mostBytes)}, ${bytes(each)} for each of ${counted(sockets, 'socket')}`;
  const pages = 4 * sockets;
  const raise = sysctl('net.ipv4.tcp_mem', `${pages / 2} ${(pages * 3) / 4} ${pages}`);
  if (each < PAGE)
    return [problem(`${what}: less than a page, so connections are cut off when many of them speak at once`, raise)];
  if (each < 4 * PAGE) return [warning(`${what}: tight when many clients are slow at once`, raise)];
  const start =
    receiveBytes === null || sendBytes === null
      ? ''
      : `; buffers begin at ${bytes(receiveBytes)} in, ${bytes(sendBytes)} out, as they are needed`;
  return [ok(`${what}${start}`)];
}
