/** Ends a test run with the line that scripts and CI read: `N passed, N failed`; what was skipped is on the line before. */
export default class CountReporter {
  onTestRunEnd(testModules, unhandledErrors) {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const testModule of testModules) {
      // A file that could not be loaded has no tests, yet it failed.
      count.failed += testModule.errors().length;
      for (const test of testModule.children.allTests()) {
        const state = test.result().state;
        if (state === 'passed' || state === 'failed') count[state] += 1;
        else count.skipped += 1;
      }
    }
    const skipped = count.skipped > 0 ? `${count.skipped} skipped\n` : '';
    const lines = `${skipped}${count.passed} passed, ${count.failed} failed\n`;
    // Other reporters and late output come first: this must be the last that is said.
    process.once('exit', () => process.stdout.write(lines));
  }
}
