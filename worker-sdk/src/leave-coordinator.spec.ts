import { LIMITS, type HeartbeatRequestInput, type ReportAnswer, type ResultReport } from '@gleaner/protocol';
import { expect, it } from 'vitest';
import { MemoryTaskStore } from './browser/memory-task-store.js';
import { Emitter } from './emitter.js';
import { aHeldResult } from './held-task.fixture.js';
import { leaveCoordinator } from './leave-coordinator.js';
import { UnreportedResults } from './unreported-results.js';

const NOTHING = { jobs: [], tasks: [], noWork: [], outputsWanted: [], retryAfterMs: 1000, heartbeatMs: 1000 };

/** A host that stops with so many results that nobody has taken; how often it calls, and its last word. */
async function leave(results: number, statusOf: (taskId: string) => ReportAnswer['status']) {
  const unreported = new UnreportedResults({ store: new MemoryTaskStore(), events: new Emitter() });
  for (let at = 1; at <= results; at += 1) unreported.add(aHeldResult(`${at}.0`));
  const calls: number[] = [];
  const farewells: HeartbeatRequestInput[] = [];
  await leaveCoordinator(
    {
      client: {
        work: ({ reports = [] }) => {
          calls.push(reports.length);
          const answers = reports.map(({ taskId }) => ({ taskId, status: statusOf(taskId) }));
          return Promise.resolve({ ...NOTHING, reports: answers });
        },
        heartbeat: (farewell) => {
          farewells.push(farewell);
          return Promise.resolve({ tasks: [], outputsWanted: [], nextMs: 1000 });
        },
      },
      desk: { unreported, forget: () => Promise.resolve() },
      callWith: (reports: ResultReport[]) => ({ protocol: 1, runtimeVersions: ['gleaner-1'], reports }),
    },
    { returned: [], kept: [] },
  );
  return { calls, isLeaving: farewells.map(({ leaving }) => leaving) };
}

it('a host that stops hands in everything that it has computed before it gives the rest back', async () => {
  const many = 2 * LIMITS.tasksPerCall + 1;
  const { calls, isLeaving } = await leave(many, () => 'accepted');
  expect(calls).toEqual([LIMITS.tasksPerCall, LIMITS.tasksPerCall, 1]);
  expect(isLeaving).toEqual([true]);
});

it('a host that stops keeps the tasks whose results cannot be stored now, and does not ask for ever', async () => {
  const { calls, isLeaving } = await leave(3, (taskId) => (taskId === '2.0' ? 'retry' : 'accepted'));
  expect(calls).toEqual([3, 1]);
  expect(isLeaving).toEqual([false]);
});
