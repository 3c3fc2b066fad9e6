import { accessSync, constants, fstatSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import type { LogLevel, LogTarget } from '../config/resolved.ts';
import { errorCode, LimpetError } from '../errors.ts';
import { DescriptorWay } from './descriptor_way.ts';
import { FileWay } from './file_way.ts';
import { StreamWay } from './stream_way.ts';
import { type Framing, frame, syslogMessage } from './syslog_message.ts';
import { UdpWay } from './udp_way.ts';
import { loadUnixDatagrams, UnixWay } from './unix_way.ts';
import type { Way } from './way.ts';

/** Makes of a line what goes out. */
export type Envelope = (line: string, level: LogLevel, event: string) => string;

export interface OpenTarget {
  readonly way: Way;
  /** What one system call takes, unless one line is longer. */
  readonly chunkBytes: number;
  readonly wrap: Envelope;
}

/** What one system call takes: a file, and what the kernel takes from several writers of one pipe unmixed (PIPE_BUF). */
const CHUNK_BYTES = 32_768;
const PIPE_CHUNK_BYTES = 4096;

const AS_IT_IS: Envelope = line => line;

type Syslog = Extract<LogTarget, { kind: 'syslog' }>;

/**
 * Opens what the lines go to. A syslog server on the network need not be there yet: lines wait for it, within limits.
 * @throws LimpetError LOG_TARGET, which names the file, and LOG_DATAGRAMS
 */
export function openTarget(target: LogTarget): OpenTarget {
  switch (target.kind) {
    case 'stdout':
      return openStdout();
    case 'file':
      return { way: openFile(target.path), chunkBytes: CHUNK_BYTES, wrap: AS_IT_IS };
    case 'syslog':
      return { way: openSyslog(target), chunkBytes: CHUNK_BYTES, wrap: envelopeOf(target) };
  }
}

/** The way out that is always there. */
export function openStdout(): OpenTarget {
  const chunkBytes = fstatSync(1).isFile() ? CHUNK_BYTES : PIPE_CHUNK_BYTES;
  return { way: new DescriptorWay(1), chunkBytes, wrap: AS_IT_IS };
}

function openFile(path: string): FileWay {
  try {
    return new FileWay(path);
  } catch (error) {
    throw cannotOpen(
      'file',
      path,
      error,
      'Make its folder, and give the user that runs Limpet the right to write there.',
    );
  }
}

function openSyslog({ transport }: Syslog): Way {
  switch (transport.kind) {
    case 'udp':
      return new UdpWay(transport.host, transport.port);
    case 'tcp':
      return new StreamWay({ host: transport.host, port: transport.port });
    case 'unix':
      return openUnix(transport.path);
  }
}

function openUnix(path: string): UnixWay {
  try {
    accessSync(path, constants.W_OK);
    if (!statSync(path).isSocket()) throw new Error('it is not a socket');
  } catch (error) {
    const remedy = 'Start the syslog server, or write the address of another: /dev/log, or udp://127.0.0.1:514.';
    throw cannotOpen('socket', path, error, remedy);
  }
  const datagrams = loadUnixDatagrams();
  if (datagrams === null && isForDatagrams(readFileSync('/proc/net/unix', 'utf8'), realpathSync(path))) {
    const what = `The log socket ${path} is for datagrams, and the optional package unix-dgram is not there`;
    const remedy = 'Install Limpet where a C++ compiler is, or let the syslog server listen on udp://127.0.0.1:514.';
    throw new LimpetError('LOG_DATAGRAMS', what, remedy);
  }
  return new UnixWay(path, datagrams);
}

/** Whether the kernel's list of unix sockets (proc(5)) has this one as one for datagrams (SOCK_DGRAM is 2). */
export function isForDatagrams(list: string, path: string): boolean {
  return list.split('\n').some(line => {
    const [, , , , type, , , ...name] = line
      .trim()
      .split(' ')
      .filter(part => part !== '');
    return type === '0002' && name.join(' ') === path;
  });
}

function cannotOpen(kind: 'file' | 'socket', path: string, error: unknown, remedy: string): LimpetError {
  const what = `The log ${kind} ${path} cannot be opened: ${errorCode(error)}`;
  return new LimpetError('LOG_TARGET', what, remedy, { cause: error });
}

function envelopeOf({ transport, facility, tag }: Syslog): Envelope {
  const source = { facility, tag, hostname: hostname(), pid: process.pid };
  const framing: Framing = transport.kind === 'tcp' ? 'octets' : 'lines';
  return (line, level, event) => frame(syslogMessage(source, level, event, new Date(), line), framing);
}
