/** What `global.relay` and `global.cpu_map` come to on the machine that reads them. */
import { beforeEach, expect, test, vi } from 'vitest';
import { allowedCpus, cpuList } from '../../../src/config/allowed_cpus.ts';
import { loadAddon } from '../../../src/native/load_addon.ts';
import { relayHere } from '../../../src/native/relay_here.ts';
import { loadText } from './scratch.ts';

vi.mock(import('../../../src/native/load_addon.ts'), async original => ({
  ...(await original()),
  loadAddon: vi.fn(),
}));

const PRESENT: ReturnType<typeof loadAddon> = { addon: {} as never };
const ABSENT: ReturnType<typeof loadAddon> = { addon: null, why: 'the addon was not built (there is no make)' };
/** No kernel has it. */
const NEVER = 8191;
const ALLOWED = cpuList(allowedCpus(1));

beforeEach(() => {
  vi.mocked(loadAddon).mockReset().mockReturnValue(PRESENT);
});

/** `line: message | remedy` of each warning. */
function warningsOf(global: string): string[] {
  const rest =
    'frontends: { f: { bind: "127.0.0.1:1", default_backend: b } }\nbackends: { b: { servers: { a: 127.0.0.1:2 } } }';
  const loaded = loadText(`global:\n  workers: 2\n${global}\n${rest}`);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.warnings.map(({ line, message, remedy }) => `${line}: ${message} | ${remedy}`);
}

test.each(['  relay: auto', '  relay: node', '  name: a'])(
  '%s holds on every machine, and nothing is looked for',
  global => {
    vi.mocked(loadAddon).mockReturnValue(ABSENT);
    expect(warningsOf(global)).toEqual([]);
    expect(loadAddon).not.toHaveBeenCalled();
  },
);

test('an addon that is not on this machine is a warning, where it is wanted', () => {
  const what =
    'on this machine there is no native addon: the addon was not built (there is no make) | Build it (node /';
  vi.mocked(loadAddon).mockReturnValue(ABSENT);
  for (const [global, key] of [
    ['  relay: native', 'relay'],
    ['  cpu_map: auto', 'cpu_map'],
    ['  cpu_map: auto\n  relay: node', 'cpu_map'],
  ] as const) {
    expect(warningsOf(global)).toEqual([expect.stringContaining(`3: \`global.${key}\`: ${what}`)]);
  }
  vi.mocked(loadAddon).mockReturnValue(PRESENT);
  expect([...warningsOf('  relay: native'), ...warningsOf('  cpu_map: auto')]).toEqual([]);
});

test('a CPU that cannot be used here is a warning, and an error at the start', () => {
  const what = `CPU ${NEVER} cannot be used on this machine, ${ALLOWED} can`;
  const cpus = `[[${allowedCpus(1)[0]}], ${NEVER}]`;
  expect(warningsOf(`  cpu_map: ${cpus}`)).toEqual([expect.stringContaining(`3: \`global.cpu_map\`: ${what} | Name`)]);
  const named = { relay: 'auto', workers: 1, cpuMap: [[NEVER]] } as const;
  expect(() => relayHere(named)).toThrow(`global.cpu_map names CPU ${NEVER}, and this process may use ${ALLOWED}`);
  expect(relayHere({ ...named, cpuMap: null })).toBe('native');
});

test('a CPU beside its worker is one in brackets', () => {
  const cpus = (text: string): unknown => {
    const loaded = loadText(
      `global: { cpu_map: ${text} }\nfrontends: { f: { bind: "127.0.0.1:1", default_backend: b } }\nbackends: { b: { servers: { a: 127.0.0.1:2 } } }`,
    );
    return loaded.ok && loaded.config.global.cpuMap;
  };
  expect(cpus('[0, 1]')).toEqual([[0], [1]]);
});
