// A vitest reporter that writes how many tests passed, failed and were skipped to the file $LIMPET_TEST_COUNTS.
import { writeFileSync } from 'node:fs';

export default class CountingReporter {
  /**
   * A file that could not be loaded, a hook that failed and an error outside of every test count as one failure each.
   * @param {readonly import('vitest/node').TestModule[]} modules
   * @param {readonly unknown[]} unhandledErrors
   */
  onTestRunEnd(modules, unhandledErrors) {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      counts.failed += module.errors().length;
      for (const suite of module.children.allSuites()) counts.failed += suite.errors().length;
      for (const test of module.children.allTests()) count(counts, test.result().state);
    }
    // biome-ignore lint/suspicious/noUndeclaredEnvVars: no turbo task; tests.mjs, which starts vitest, sets it
    writeFileSync(process.env.LIMPET_TEST_COUNTS, JSON.stringify(counts));
  }
}

function count(counts, state) {
  if (state === 'passed') counts.passed += 1;
  else if (state === 'skipped') counts.skipped += 1;
  // `pending` at the end of a run is a test that was begun and never ended.
  else counts.failed += 1;
}
