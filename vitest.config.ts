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
}

const ALONE = '.alone';

/** One ring of tests: every package's files, the laboratory's and the benchmark's, below `test/<ring>/`. */
function ring({ name, order, testTimeout, parallel, isolate }: Ring): object {
  const [folder = name] = name.split('-');
  const isAlone = name.endsWith('-alone');
  return {
    resolve: source,
    ssr: { resolve: source },
    test: {
      name,
      include: ['packages/*', 'lab', 'bench'].map(
        place => `${place}/test/${folder}/**/*${isAlone ? ALONE : ''}.test.ts`,
      ),
      exclude: isAlone ? [] : [`**/*${ALONE}.test.ts`],
      isolate,
      testTimeout,
      hookTimeout: testTimeout,
      pool: 'forks',
      fileParallelism: parallel,
      sequence: { groupOrder: order },
    },
  };
}

export default defineConfig({
  test: {
    projects: [
      ring({ name: 'unit', order: 1, testTimeout: 10_000, parallel: true, isolate: false }),
      ring({ name: 'unit-alone', order: 1, testTimeout: 10_000, parallel: true, isolate: true }),
      ring({ name: 'flow', order: 2, testTimeout: 30_000, parallel: true, isolate: true }),
      // Real proxies with several workers: two at a time would only take the processors from each other.
      ring({ name: 'cluster', order: 3, testTimeout: 180_000, parallel: false, isolate: true }),
    ],
  },
});
