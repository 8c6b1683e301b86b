import { defineConfig } from 'vitest/config';

const resolve = { conditions: ['gleaner-source', 'module', 'node', 'development|production'] };
/** Far above what anything takes that is waited for: on a loaded machine a second says nothing. */
const expect = { poll: { timeout: 30_000 } };
/** Of both projects: Ctrl-C and SIGTERM leave nothing behind that tests have started. */
const endWithSignals = 'test/support/end-with-signals.ts';
const leaveSignalsToTheRun = 'test/support/leave-signals-to-the-run.ts';
const ssr = { resolve: { conditions: ['gleaner-source', 'node', 'module', 'development|production'] } };

export default defineConfig({
  test: {
    projects: [
      {
        resolve,
        ssr,
        test: {
          name: 'unit',
          include: ['{libs,apps,migrations,worker-sdk,examples,scripts}/**/*.spec.ts'],
          exclude: ['**/node_modules/**', '**/dist/**'],
          globalSetup: [endWithSignals],
          setupFiles: [leaveSignalsToTheRun],
          testTimeout: 120_000,
          expect,
          sequence: { groupOrder: 0 },
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'integration',
          include: ['{apps,test,worker-sdk}/**/*.itest.ts'],
          exclude: ['**/node_modules/**', '**/dist/**'],
          globalSetup: [endWithSignals, 'test/support/global-setup.ts'],
          setupFiles: [leaveSignalsToTheRun, 'test/support/whole-day.ts'],
          testTimeout: 120_000,
          expect,
          hookTimeout: 120_000,
          fileParallelism: false,
          // One process for all files: evaluating the coordinator's modules for each took half of the time. Files share
          // Redis, which each empties first, and what modules keep: nobody may leave anything there.
          isolate: false,
          // Timings of real processes suffer from neighbours: the unit tests have a turn of their own, and these run one file after the other.
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
