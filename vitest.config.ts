import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const resolve = { conditions: ['gleaner-source', 'module', 'node', 'development|production'] };
/** Far above what anything takes that is waited for: on a loaded machine a second says nothing. */
const expect = { poll: { timeout: 30_000 } };
/** Of both projects: Ctrl-C and SIGTERM leave nothing behind that tests have started. */
const endWithSignals = 'test/support/end-with-signals.ts';
const leaveSignalsToTheRun = 'test/support/leave-signals-to-the-run.ts';
const ssr = { resolve: { conditions: ['gleaner-source', 'node', 'module', 'development|production'] } };

const notSources = ['**/node_modules/**', '**/dist/**'];
/** Suites of which a neighbour would change what they measure: they run one after the other when all others have ended. */
const alone = [
  'test/e2e/chaos.itest.ts',
  'test/e2e/random-histories.itest.ts',
  'test/e2e/agent-idle.itest.ts',
  'test/bench/dispatch.itest.ts',
  'test/network/**/*.itest.ts',
];
const cores = availableParallelism();
/** Unless told, vitest leaves one core to itself, which on two cores is half of them. */
const unitWorkers = cores;
/** More than cores, as suites wait for half of their time. Each has connections to one Postgres, and a database of Redis of its own. */
const integrationWorkers = Math.min(cores + 2, 8);
const integration = {
  globalSetup: [endWithSignals, 'test/support/global-setup.ts'],
  setupFiles: [leaveSignalsToTheRun, 'test/support/whole-day.ts'],
  testTimeout: 120_000,
  expect,
  hookTimeout: 120_000,
  // A process runs many files: evaluating the coordinator's modules for each took half of the time. Files share what
  // modules keep: nobody may leave anything there.
  isolate: false,
};

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
          hookTimeout: 120_000,
          maxWorkers: unitWorkers,
          sequence: { groupOrder: 0 },
        },
      },
      {
        resolve,
        ssr,
        test: {
          ...integration,
          name: 'integration',
          include: ['{apps,test,worker-sdk}/**/*.itest.ts'],
          exclude: [...notSources, ...alone],
          maxWorkers: integrationWorkers,
          sequence: { groupOrder: 1 },
        },
      },
      {
        resolve,
        ssr,
        test: {
          ...integration,
          name: 'alone',
          include: alone,
          exclude: notSources,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
