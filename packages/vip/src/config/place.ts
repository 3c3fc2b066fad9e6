import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import type { VipConfig } from './config.ts';
import { expandAll, loadVipConfig } from './load.ts';
import { placeSchema, type RawPlace } from './schema.ts';

/** Where the address is, and whom to tell that it has left: all that cleaning up needs. */
export interface VipPlace extends Pick<VipConfig, 'name' | 'addresses' | 'device' | 'addressBy' | 'notifyFifo'> {
  readonly priority: number;
}

export interface LoadedPlace {
  /** Null: the file does not tell. */
  readonly place: VipPlace | null;
  readonly problems: readonly string[];
}

/**
 * Reads of vip.yaml what cleaning up needs. A file that has become wrong elsewhere must not leave an address on a host that
 * has lost it. Never throws.
 */
export function loadVipPlace(path: string, env: NodeJS.ProcessEnv = process.env): LoadedPlace {
  const loaded = loadVipConfig(path, env);
  if (!loaded.ok) return { place: salvage(path, env), problems: loaded.problems };
  const { name, addresses, device, addressBy, notifyFifo, terms } = loaded.config;
  return { place: { name, addresses, device, addressBy, notifyFifo, priority: terms.priority }, problems: [] };
}

function salvage(path: string, env: NodeJS.ProcessEnv): VipPlace | null {
  const raw = readRaw(path, env);
  if (raw === null) return null;
  const { name, address: addresses, interface: device, address_by: addressBy, notify_fifo: fifo, priority } = raw;
  const notifyFifo = fifo === undefined ? null : resolve(dirname(resolve(path)), fifo);
  return { name, addresses, device, addressBy, notifyFifo, priority };
}

function readRaw(path: string, env: NodeJS.ProcessEnv): RawPlace | null {
  try {
    const document = parseDocument(readFileSync(path, 'utf8'), { maxAliasCount: 0 } as object);
    expandAll(document, env, () => undefined);
    return placeSchema.safeParse(document.toJS({ maxAliasCount: 0 })).data ?? null;
  } catch {
    // No file, or no YAML at all: the problems say so.
    return null;
  }
}
