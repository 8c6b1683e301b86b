import { LIMITS, type ResultReport } from '@gleaner/protocol';
import { expect, it } from 'vitest';
import { MemoryTaskStore } from './browser/memory-task-store.js';
import { Emitter } from './emitter.js';
import { aHeldResult } from './held-task.fixture.js';
import { UnreportedResults } from './unreported-results.js';

const KEPT = { name: 'stdout', bytes: Uint8Array.of(1, 2, 3) };

function waiting(...reports: ReadonlyArray<Partial<ResultReport>>): UnreportedResults {
  const unreported = new UnreportedResults({ store: new MemoryTaskStore(), events: new Emitter() });
  for (const [at, about] of reports.entries()) {
    const held = aHeldResult(`${at + 1}.0`);
    unreported.add({ ...held, report: { ...held.report, ...about } });
  }
  return unreported;
}

/** A report with so many bytes of inline outputs. */
function withOutputs(bytes: number): Partial<ResultReport> {
  const base64 = 'A'.repeat(LIMITS.inlineOutputBytes);
  const output = { name: 'part', size: 1, sha256: '0'.repeat(64), base64 };
  return { outputs: Array.from({ length: Math.ceil(bytes / base64.length) }, () => output) };
}

it('a call carries as many reports as the coordinator takes at once', () => {
  const due = waiting(...Array.from({ length: LIMITS.tasksPerCall + 1 }, () => ({}))).due(0);
  expect(due).toHaveLength(LIMITS.tasksPerCall);
});

it('a call carries a MiB of reports, and one that is larger by itself', () => {
  const most = 1024 * 1024;
  const quarters = waiting(...Array.from({ length: 9 }, () => withOutputs(most / 4))).due(0);
  expect(quarters).toHaveLength(3);
  expect(JSON.stringify(quarters).length).toBeLessThan(most);
  const large = waiting(withOutputs(most + 1), {}).due(0);
  expect(large.map(({ taskId }) => taskId)).toEqual(['1.0']);
});

it.each([
  ['accepted', true],
  ['repeat', true],
  ['refused', false],
] as const)(
  'the large outputs of a result that is %s stay until they are asked for: %s',
  async (status, stay) => {
    const store = new MemoryTaskStore();
    const unreported = new UnreportedResults({ store, events: new Emitter() });
    const held = { ...aHeldResult('1.0'), keptOutputs: ['stdout'] };
    await store.saveResult(held, [KEPT]);
    unreported.add(held);
    await unreported.answered([{ taskId: '1.0', status: 'retry' }], 5000);
    expect(unreported.untilNextMs(2000)).toBe(3000);
    await unreported.answered([{ taskId: '1.0', status }], 0);
    expect(unreported.size).toBe(0);
    expect((await store.readOutput('1.0', 'stdout')) !== undefined).toBe(stay);
  },
);

it('what was written of outputs that could not all be kept goes with their result', async () => {
  const store = new MemoryTaskStore();
  const unreported = new UnreportedResults({ store, events: new Emitter() });
  // A full disk took the first of them: the result says that none is kept.
  await store.saveResult(aHeldResult('1.0'), [KEPT]);
  unreported.add(aHeldResult('1.0'));
  await unreported.answered([{ taskId: '1.0', status: 'accepted' }], 0);
  expect(await store.readOutput('1.0', 'stdout')).toBeUndefined();
});
