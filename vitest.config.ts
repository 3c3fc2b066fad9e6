import { existsSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

const source = { conditions: ['limpet-source'] };

interface Ring {
  readonly name: string;
  readonly order: number;
  readonly testTimeout: number;
  /** Files beside each other, or one after the other. */
  readonly parallel: boolean;
  /** A fresh module graph for each file: slower, and only needed where a test replaces a module. */
  readonly isolate: boolean;
  /** Only these files of the proxy's. */
  readonly files?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const ALONE = '.alone';

/** What holds bytes, and the life of processes, to the relay: it runs on either. */
const RELAYED = ['backpressure', 'bytes_connect', 'bytes_stream', 'churn', 'drain', 'reload', 'worker_death'];

for (const file of RELAYED) {
  const path = `packages/proxy/test/cluster/${file}.test.ts`;
  if (!existsSync(new URL(path, import.meta.url)))
    throw new Error(`there is no ${path}, which is to run on both relays`);
}

/** One ring of tests: every package's files, the laboratory's and the benchmark's, below `test/<ring>/`. */
function ring({ name, order, testTimeout, parallel, isolate, files, env = {} }: Ring): object {
  const [folder = name] = name.split('-');
  const isAlone = name.endsWith('-alone');
  const all = ['packages/*', 'lab', 'bench'].map(
    place => `${place}/test/${folder}/**/*${isAlone ? ALONE : ''}.test.ts`,
  );
  return {
    resolve: source,
    ssr: { resolve: source },
    test: {
      name,
      include: files?.map(file => `packages/proxy/test/${folder}/${file}.test.ts`) ?? all,
      exclude: isAlone ? [] : [`**/*${ALONE}.test.ts`],
      isolate,
      env,
      testTimeout,
      hookTimeout: testTimeout,
      pool: 'forks',
      fileParallelism: parallel,
      sequence: { groupOrder: order },
    },
  };
}

/** Real proxies with several workers: two at a time would only take the processors from each other. */
const CLUSTER = { testTimeout: 180_000, parallel: false, isolate: true };

// biome-ignore lint/suspicious/noUndeclaredEnvVars: no turbo task
const isRelayChosen = (process.env.LIMPET_TEST_RELAY ?? '') !== '';
const onNode = ring({
  name: 'cluster-node',
  order: 4,
  ...CLUSTER,
  files: RELAYED,
  env: { LIMPET_TEST_RELAY: 'node' },
});

export default defineConfig({
  test: {
    projects: [
      ring({ name: 'unit', order: 1, testTimeout: 10_000, parallel: true, isolate: false }),
      ring({ name: 'unit-alone', order: 1, testTimeout: 10_000, parallel: true, isolate: true }),
      ring({ name: 'flow', order: 2, testTimeout: 30_000, parallel: true, isolate: true }),
      ring({ name: 'cluster', order: 3, ...CLUSTER }),
      // `cluster` is on the native relay, where the addon is built, unless somebody chose one for all of them.
      ...(isRelayChosen ? [] : [onNode]),
    ],
  },
});
