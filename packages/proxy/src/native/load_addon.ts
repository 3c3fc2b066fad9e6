import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { CONTRACT, type NativeAddon } from './addon.ts';

/** `why` is the end of a sentence that begins with "node: "; it is for people. */
export type LoadedAddon = { readonly addon: NativeAddon } | { readonly addon: null; readonly why: string };

/** How one file was met. */
export type Attempt =
  | { readonly result: 'loaded'; readonly addon: unknown }
  | { readonly result: 'absent' }
  | { readonly result: 'failed'; readonly reason: string };

/** Right from both `src` and `dist`. */
const FOLDER = new URL('../../native/', import.meta.url);

/** The addon that was built at the installation; else the one that came with the package; else why there is none. */
export function loadAddon(): LoadedAddon {
  const files = [new URL('build/limpet.node', FOLDER), new URL(`prebuilds/${platformName()}/limpet.node`, FOLDER)];
  return chooseAddon(files.map(attempt), () => readIfThere(new URL('build/not-built.txt', FOLDER)));
}

/** The command that builds it for this installation, also where that has failed before. */
export function buildCommand(): string {
  return `node ${fileURLToPath(new URL('build.mjs', FOLDER))} --force`;
}

/** The same for a person, with what it needs. */
export function howToBuild(): string {
  return `${buildCommand()}, with g++, make and python3`;
}

/** The first that can be used. What is wrong with the first one that is there tells more than that another is absent. */
export function chooseAddon(attempts: Iterable<Attempt>, whyNotBuilt: () => string | null): LoadedAddon {
  let why: string | null = null;
  for (const { result, ...found } of attempts) {
    if (result === 'absent') continue;
    if ('reason' in found) why ??= `the addon cannot be loaded (${found.reason})`;
    if (!('addon' in found)) continue;
    if (isAddon(found.addon)) return { addon: found.addon };
    why ??= 'the addon is of another version of Limpet and must be built again';
  }
  return { addon: null, why: why ?? `the addon was not built (${whyNotBuilt() ?? 'its build script has not run'})` };
}

function isAddon(value: unknown): value is NativeAddon {
  return typeof value === 'object' && value !== null && 'contract' in value && value.contract === CONTRACT;
}

function attempt(file: URL): Attempt {
  try {
    return { result: 'loaded', addon: createRequire(import.meta.url)(fileURLToPath(file)) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'MODULE_NOT_FOUND') return { result: 'absent' };
    return { result: 'failed', reason: (message.split('\n')[0] ?? message).trim() };
  }
}

/** As native/toolchain.mjs names the folders of prebuilds. `libraries`: there is no such folder on every Linux. */
export function platformName(libraries = '/lib'): string {
  const isMusl = existsSync(libraries) && readdirSync(libraries).some(name => name.startsWith('ld-musl-'));
  return `${process.platform}-${process.arch}-${isMusl ? 'musl' : 'glibc'}`;
}

function readIfThere(file: URL): string | null {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return null;
  }
}
