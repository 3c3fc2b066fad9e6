import { accessSync, constants, readdirSync, statSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import type { VipConfig } from '../config/config.ts';
import type { Hook } from './hooks.ts';

/** More names than this help nobody. */
const mostNames = 12;

/**
 * What a configuration names and this host does not have, a warning each, with what would be right on a line of its own. No
 * errors: an interface, a folder or an address may come later. Changes nothing.
 */
export function surveyHost(config: VipConfig): readonly string[] {
  const { device, self, trackFile, hooks } = config;
  const hookKeys = [
    ['hooks.on_active', hooks.onActive],
    ['hooks.on_standby', hooks.onStandby],
    ['hooks.on_fault', hooks.onFault],
  ] as const;
  const found = [
    surveyInterface(device),
    surveySelf(self.host),
    trackFile === null ? null : surveyFolder(dirname(trackFile)),
    ...hookKeys.map(([key, hook]) => (hook === null ? null : surveyHook(key, hook))),
  ];
  return found.filter(warning => warning !== null);
}

function warn(key: string, what: string, remedy: string): string {
  return `warning: \`${key}\`: ${what}\n    ${remedy}`;
}

function surveyInterface(device: string): string | null {
  const names = listed('/sys/class/net');
  if (names === null || names.includes(device)) return null;
  const what = `${device} does not exist here; there are: ${some(names.toSorted())}`;
  return warn('interface', what, 'Without it this host is in FAULT: write one that exists.');
}

function surveySelf(host: string): string | null {
  const addresses = Object.values(networkInterfaces()).flatMap(list => (list ?? []).map(({ address }) => address));
  if (addresses.includes(host)) return null;
  const what = `no interface that is up has ${host}; there are: ${some(addresses)}`;
  return warn('self', what, 'Write an address of this host, and that of the other one as `peer`.');
}

function surveyFolder(folder: string): string | null {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return null;
  const remedy = 'The proxy writes into it (`global.vip` of limpet.yaml); without the file this host is in FAULT.';
  return warn('track_file', `there is no folder ${folder}`, remedy);
}

function surveyHook(key: string, [program]: Hook): string | null {
  const folders = program.includes('/') ? [''] : (process.env.PATH ?? '').split(delimiter);
  const paths = folders.map(folder => join(folder, program));
  if (paths.some(isExecutable)) return null;
  const isThere = paths.some(path => statSync(path, { throwIfNoEntry: false })?.isFile() === true);
  if (!isThere)
    return warn(key, `there is no program ${program}`, 'Paths begin where vip.yaml is; names are looked up in PATH.');
  return warn(key, `${program} cannot be executed`, `chmod +x ${program}, and check who may read it and its folders.`);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function listed(folder: string): readonly string[] | null {
  try {
    return readdirSync(folder);
  } catch {
    return null;
  }
}

function some(names: readonly string[]): string {
  return names.slice(0, mostNames).join(', ') + (names.length > mostNames ? ', …' : '');
}
