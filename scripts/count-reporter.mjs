/** Ends a test run with the line that scripts and CI read: `N passed, N failed` (`, N skipped` where some were). */
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
    const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : '';
    this.line = `${count.passed} passed, ${count.failed} failed${skipped}`;
    // Other reporters and late output come first: this line must be the last one.
    process.once('exit', () => process.stdout.write(`${this.line}\n`));
  }
}
