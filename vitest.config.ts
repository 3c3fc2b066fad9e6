import { defineConfig } from 'vitest/config';

const source = { conditions: ['limpet-source'] };

interface Ring {
  readonly name: string;
  readonly order: number;
  readonly testTimeout: number;
  /** Files beside each other, or one after the other. */
  readonly parallel: boolean;
}

/** One ring of tests: every package's files below `test/<ring>/`. */
function ring({ name, order, testTimeout, parallel }: Ring): object {
  return {
    resolve: source,
    ssr: { resolve: source },
    test: {
      name,
      include: [`packages/*/test/${name}/**/*.test.ts`],
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
      ring({ name: 'unit', order: 1, testTimeout: 10_000, parallel: true }),
      ring({ name: 'flow', order: 2, testTimeout: 30_000, parallel: true }),
      // Real proxies with several workers: two at a time would only take the processors from each other.
      ring({ name: 'cluster', order: 3, testTimeout: 180_000, parallel: false }),
    ],
  },
});
