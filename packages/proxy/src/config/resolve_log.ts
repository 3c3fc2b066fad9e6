import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorCode } from '../errors.ts';
import { besideFile } from './named_file.ts';
import { type Notes, noteKey, noteValue } from './notes.ts';
import { checkUnixPath } from './resolve_runtime_api.ts';
import type { LogConfig, LogTarget } from './resolved.ts';
import type { RawLog, RawLogTarget, RawSyslog } from './schema/log.ts';

const PATH = ['global', 'log', 'target'];
const FORMS =
  'Write `target: stdout`, `target: { file: /var/log/limpet/limpet.log }` or `target: { syslog: { address: /dev/log } }`.';

/** Whether lines can be appended to it; else why not, and what would help. */
function fileFault(name: string): readonly [what: string, remedy: string] | null {
  const folder = dirname(name);
  try {
    const found = statSync(name, { throwIfNoEntry: false });
    if (found?.isDirectory() === true) return ['{value} is a folder', 'Name a file in it.'];
    if (found === undefined && statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
      return [
        `{value}: there is no folder ${folder}`,
        'Make the folder, and let the user that runs Limpet write there.',
      ];
    }
    accessSync(found === undefined ? folder : name, constants.W_OK);
    return null;
  } catch (error) {
    const remedy = 'Give the user that runs Limpet the right to write there.';
    return [`{value} cannot be written to (${errorCode(error)})`, remedy];
  }
}

function fileTarget(written: string, notes: Notes): LogTarget {
  const place = [...PATH, 'file'];
  const path = besideFile(written, place, notes.tree);
  const fault = fileFault(path);
  if (fault !== null) noteValue(place, ...fault, notes);
  return { kind: 'file', path };
}

function syslogTarget({ address, facility, tag }: RawSyslog, notes: Notes): LogTarget {
  if (address.kind !== 'unix') return { kind: 'syslog', transport: address, facility, tag };
  const place = [...PATH, 'syslog', 'address'];
  const path = besideFile(address.path, place, notes.tree);
  checkUnixPath(path, place, notes);
  return { kind: 'syslog', transport: { kind: 'unix', path }, facility, tag };
}

function targetOf(raw: RawLogTarget, notes: Notes): LogTarget {
  if (raw === 'stdout') return { kind: 'stdout' };
  const { file, syslog } = raw;
  if (file !== undefined && syslog !== undefined) {
    noteKey([...PATH, 'syslog'], 'lines go to one place, and `file` is another', FORMS, notes);
  }
  if (file !== undefined) return fileTarget(file, notes);
  if (syslog !== undefined) return syslogTarget(syslog, notes);
  noteKey(PATH, 'it names neither `file` nor `syslog`', FORMS, notes);
  return { kind: 'stdout' };
}

/** The log with its target. */
export function resolveLog(raw: RawLog, notes: Notes): LogConfig {
  const target = targetOf(raw.target, notes);
  if (target.kind === 'syslog' && raw.format === 'pretty') {
    const what = '{value} is for people, and a syslog server puts a time and a level of its own before it';
    noteValue(['global', 'log', 'format'], what, 'Write json or tcplog.', notes);
  }
  const { level, format, usernames, sample } = raw;
  return { level, format, usernames, target, sample };
}
