import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import type { Config } from '@limpet/proxy';
import { fileTrouble } from '../../file_trouble.ts';
import type { FileSeen, Vip } from '../judge/vip.ts';
import { isInstalled } from './kernel.ts';
import { said, textOf } from './text.ts';

const CONF = '/etc/keepalived/keepalived.conf';
const OWN = '/etc/limpet/vip.yaml';

/** What `limpet vip` calls. An address of IPv6 alone needs the last one. */
const TOOLS = [
  { name: 'ip', from: 'iproute2', isNeeded: true },
  { name: 'arping', from: 'iputils-arping', isNeeded: true },
  { name: 'na6', from: 'ipv6toolkit', isNeeded: false },
] as const;

export async function readVip(config: Config['global']['vip']): Promise<Vip | null> {
  if (config === null) return null;
  const keepalived =
    /^Keepalived v(\d+\.\d+(?:\.\d+)?)/m.exec((await said('keepalived', '--version')).text)?.[1] ?? null;
  const conf = { path: CONF, ...headOf(CONF) };
  return {
    addresses: config.addresses,
    trackFile: seen(config.trackFile),
    notifyFifo: seen(config.notifyFifo),
    keepalived,
    conf,
    confTrouble: keepalived === null || conf.text === null ? null : await troubleOf(CONF),
    hasOwn: textOf(OWN) !== null,
    tools: TOOLS.filter(({ isNeeded }) => isNeeded || config.addresses.some(address => address.includes(':'))).map(
      tool => ({ ...tool, isThere: isInstalled(tool.name) }),
    ),
  };
}

/** keepalived says what is wrong, a line each, and ends with another code than 0. */
async function troubleOf(path: string): Promise<string | null> {
  const { code, text } = await said('keepalived', '--config-test', '--use-file', path);
  if (code === 0 || code === null) return null;
  const lines = text
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '');
  return lines[0] ?? `exit code ${code}`;
}

const LONGEST_BYTES = 262_144;

function headOf(path: string): { readonly text: string | null; readonly trouble: string | null } {
  let file: number | null = null;
  try {
    // A FIFO without a writer would keep us waiting.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!fstatSync(file).isFile()) return { text: null, trouble: 'it is no file' };
    const buffer = Buffer.alloc(LONGEST_BYTES);
    return { text: buffer.toString('utf8', 0, readSync(file, buffer, 0, LONGEST_BYTES, 0)), trouble: null };
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return { text: null, trouble: isMissing ? null : fileTrouble(error) };
  } finally {
    if (file !== null) closeSync(file);
  }
}

function seen(path: string): FileSeen {
  let kind: FileSeen['kind'] = null;
  try {
    const stat = statSync(path);
    kind = stat.isFile() ? 'file' : stat.isFIFO() ? 'fifo' : 'other';
  } catch {
    // Not there, or not for us: the judgement says so.
  }
  return { path, kind, text: kind === 'file' ? headOf(path).text : null };
}
