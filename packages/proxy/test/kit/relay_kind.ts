/**
 * Which relays tests run on. `LIMPET_TEST_RELAY=node` or `native` in the environment chooses one, for flow tests and for the
 * programs that cluster tests start; without it flow tests run on every one that there is, and programs as they are configured.
 */
import { loadAddon } from '../../src/native/load_addon.ts';

export type RelayKind = 'node' | 'native';

/** Null: nobody has chosen. */
const chosenRelay: RelayKind | null = chosenBy(process.env.LIMPET_TEST_RELAY);

/** Those that flow tests run on. */
export const relayKinds: readonly RelayKind[] = kindsFor(chosenRelay);

function chosenBy(word: string | undefined): RelayKind | null {
  if (word === undefined || word === '') return null;
  if (word === 'node' || word === 'native') return word;
  throw new Error(`LIMPET_TEST_RELAY is ${word}: it may be node or native`);
}

function kindsFor(chosen: RelayKind | null): readonly RelayKind[] {
  if (chosen === 'node') return ['node'];
  const loaded = loadAddon();
  if (chosen === 'native' && loaded.addon === null) throw new Error(`LIMPET_TEST_RELAY is native: ${loaded.why}`);
  if (chosen === 'native') return ['native'];
  return loaded.addon === null ? ['node'] : ['node', 'native'];
}

/** The configuration of a program under test, on the relay that was chosen unless it names one itself. */
export function withRelay(config: string | object, relay: RelayKind | null = chosenRelay): string | object {
  if (relay === null) return config;
  return typeof config === 'string' ? textWithRelay(config, relay) : objectWithRelay(config, relay);
}

function objectWithRelay(config: object, relay: RelayKind): object {
  const { global } = config as { readonly global?: object };
  return { ...config, global: { relay, ...global } };
}

/** Behind what is there, where it can be: a message about a line of the file still names the same line. */
function textWithRelay(text: string, relay: RelayKind): string {
  if (/^ *"?relay"?:/m.test(text) || /[{,] *"?relay"?:/.test(text)) return text;
  if (/^global: *\{/m.test(text)) return text.replace(/^global: *\{ */m, found => `${found}relay: ${relay}, `);
  const block = /^global: *\n( +)/m;
  if (block.test(text)) return text.replace(block, (found, indent) => `${found}relay: ${relay}\n${indent}`);
  return /^[a-z]+:/m.test(text) ? `${text.trimEnd()}\nglobal: { relay: ${relay} }\n` : text;
}
