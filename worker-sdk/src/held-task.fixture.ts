import type { HeldResult, HeldTask } from './held-task.js';
import { infrastructureResult, reportOf } from './result-report.js';

/** For tests: a task without inputs that is due in an hour. */
export function aHeldTask(taskId: string, changes: Partial<HeldTask> = {}): HeldTask {
  return {
    task: { taskId, jobId: '1', params: {}, windows: {}, deadlineMs: 3_600_000 },
    job: {
      jobId: '1',
      name: 'one night',
      app: {
        name: 'app',
        version: '1',
        moduleSha256: '0'.repeat(64),
        moduleUrl: '/module',
        runtimeVersion: 'gleaner-1',
        stepping: false,
      },
      inputs: {},
      args: [],
      env: {},
      outputs: ['stdout'],
      limits: { maxCycles: '1000', memoryMiB: 16, outputBytes: 1024 },
    },
    deadlineAtMs: 4_000_000_000_000,
    starts: 0,
    ...changes,
  };
}

/** For tests: a result that was not acknowledged, without outputs. */
export function aHeldResult(taskId: string): HeldResult {
  const { report } = reportOf(taskId, 'gleaner-1', infrastructureResult('of a test'));
  return { report, jobName: 'one night', app: 'app@1', keptOutputs: [] };
}
