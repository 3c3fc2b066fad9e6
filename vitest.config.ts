import { defineConfig } from 'vitest/config';

const source = { conditions: ['limpet-source'] };

/** One ring of tests: every package's files below `test/<ring>/`. */
function ring(name: string, testTimeout: number): object {
  return {
    resolve: source,
    ssr: { resolve: source },
    test: {
      name,
      include: [`packages/*/test/${name}/**/*.test.ts`],
      testTimeout,
      hookTimeout: testTimeout,
      pool: 'forks',
    },
  };
}

export default defineConfig({
  test: { projects: [ring('unit', 10_000), ring('flow', 30_000), ring('cluster', 180_000)] },
});
