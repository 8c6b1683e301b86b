import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LIMITS } from '@gleaner/protocol';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Emitter } from './emitter.js';
import { FileTaskStore } from './file-task-store.js';
import { aHeldTask } from './held-task.fixture.js';
import { answerWith, Bench, DONE, dueIn, inSteps, nextEvent, openDesk } from './task-bench.fixture.js';
import { TaskDesk } from './task-desk.js';
import type { WorkerEvents } from './worker-events.js';

let directory: string;
let bench: Bench;
let events: Emitter<WorkerEvents>;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gleaner-desk-'));
  bench = new Bench();
  events = new Emitter();
});
afterEach(async () => {
  vi.useRealTimers();
  await rm(directory, { recursive: true, force: true });
});

const aDesk = (cores: number) => openDesk({ directory, bench, events }, cores);
const next = <Name extends keyof WorkerEvents>(name: Name) => nextEvent(events, name);

describe('TaskDesk', () => {
  it('computes as many tasks as it has cores, the nearest deadline first', async () => {
    const desk = await aDesk(2);
    const started = [next('task-started')];
    await desk.take(answerWith(dueIn(30, '1.0'), dueIn(10, '2.0'), dueIn(20, '3.0')));
    await Promise.all(started);
    expect(desk.running.map(({ taskId }) => taskId)).toEqual(['2.0', '3.0']);
    expect(desk.inHand).toMatchObject({ running: 2, buffered: 1 });
  });

  it('starts nothing without a core, and what waits when it gets one', async () => {
    const desk = await aDesk(2);
    desk.allow(0);
    await desk.take(answerWith(dueIn(10, '1.0'), dueIn(20, '2.0')));
    expect(desk.inHand).toMatchObject({ cores: 0, running: 0, buffered: 2 });
    desk.allow(1);
    expect(desk.inHand).toMatchObject({ cores: 1, running: 1, buffered: 1 });
    desk.allow(64);
    expect(desk.inHand).toMatchObject({ cores: 2, running: 2, buffered: 0 });
    await bench.hasStarted('2.0');
  });

  it('keeps a result on disk before it can be reported, and forgets it when acknowledged', async () => {
    const desk = await aDesk(1);
    const started = next('task-started');
    await desk.take(answerWith(dueIn(10, '1.0')));
    await started;
    await bench.hasStarted('1.0');
    const finished = next('task-finished');
    bench.end('1.0');
    await finished;
    expect(await readdir(join(directory, 'results'))).toEqual(['1.0.json']);
    expect(desk.unreported.due(Date.now()).map(({ taskId }) => taskId)).toEqual(['1.0']);
    await desk.unreported.answered([{ taskId: '1.0', status: 'accepted' }], 0);
    expect(await readdir(join(directory, 'results'))).toEqual([]);
    expect(desk.unreported.due(Date.now())).toEqual([]);
  });

  it('sends a deferred report again, but not before its time', async () => {
    const desk = await deskWithResult('1.0');
    await desk.unreported.answered([{ taskId: '1.0', status: 'retry' }], 5000);
    expect(desk.unreported.due(4999)).toEqual([]);
    expect(desk.unreported.untilNextMs(4000)).toBe(1000);
    expect(desk.unreported.due(5000)).toHaveLength(1);
  });

  it('gives a task up that took the host down three times', async () => {
    const store = new FileTaskStore(directory);
    await store.load();
    await store.saveTask(aHeldTask('1.0', { starts: 3 }));
    const desk = await aDesk(1);
    const finished = next('task-finished');
    desk.startTasks();
    expect(await finished).toMatchObject({ outcome: 'infrastructure' });
    expect(bench.started).toEqual([]);
    expect(desk.unreported.due(Date.now())[0]?.message).toContain('went down 3 times');
  });

  it('leaves out tasks whose deadline passed while the host was off', async () => {
    const store = new FileTaskStore(directory);
    await store.load();
    await store.saveTask(aHeldTask('1.0', { deadlineAtMs: Date.now() - 1 }));
    const reasons: string[] = [];
    events.on('task-dropped', ({ reason }) => reasons.push(reason));
    const desk = await aDesk(1);
    expect(reasons).toEqual(['its deadline passed while the host was off']);
    expect(desk.inHand.buffered).toBe(0);
    expect(await readdir(join(directory, 'tasks'))).toEqual([]);
  });

  it('ends a computation that is no longer wanted, and never reports it', async () => {
    const desk = await aDesk(1);
    const started = next('task-started');
    await desk.take(answerWith(dueIn(10, '1.0')));
    await started;
    await bench.hasStarted('1.0');
    await desk.drop('1.0', 'cancelled');
    expect(desk.inHand.running).toBe(0);
    expect(desk.unreported.due(Date.now())).toEqual([]);
    expect(await readdir(join(directory, 'tasks'))).toEqual([]);
  });

  it('keeps the reports of one call within what a body may hold', async () => {
    const desk = await aDesk(64);
    const ids = Array.from({ length: 64 }, (_, index) => `${index + 1}.0`);
    await desk.take(answerWith(...ids.map((id) => dueIn(10, id))));
    const bytes = Buffer.alloc(LIMITS.inlineOutputBytes);
    const output = { name: 'stdout', size: bytes.length, sha256: '0'.repeat(64), bytes };
    for (const id of ids) await bench.hasStarted(id);
    for (const id of ids) {
      const finished = next('task-finished');
      bench.end(id, { ...DONE, outputs: [output] });
      await finished;
    }
    const due = desk.unreported.due(Date.now());
    expect(due.length).toBeGreaterThan(10);
    expect(Buffer.byteLength(JSON.stringify(due))).toBeLessThan(LIMITS.bodyBytes);
  });

  it('starts nothing more while it lets end what runs', async () => {
    const desk = await aDesk(1);
    await desk.take(answerWith(dueIn(10, '1.0'), dueIn(20, '2.0')));
    await bench.hasStarted('1.0');
    const finished = desk.finishRunning(new AbortController().signal);
    bench.end('1.0');
    await finished;
    expect(desk.inHand).toMatchObject({ running: 0, buffered: 1 });
    expect((await desk.close()).returned).toEqual(['2.0']);
  });

  it('has removed what is left of other tasks before it takes or goes on with any', async () => {
    const steps: string[] = [];
    bench.retain = async (taskIds) => {
      await new Promise((resolve) => setImmediate(resolve));
      steps.push(`keeps ${taskIds.join()}`);
    };
    const desk = await aDesk(1);
    steps.push('open');
    await desk.take(answerWith(dueIn(10, '1.0'), dueIn(20, '2.0')));
    await desk.drop('2.0', 'cancelled');
    steps.push('dropped');
    expect(steps).toEqual(['keeps ', 'open', 'keeps 1.0', 'dropped']);
    await desk.close();
  });

  it('returns what it has not finished, when it closes', async () => {
    const desk = await aDesk(1);
    const started = next('task-started');
    await desk.take(answerWith(dueIn(10, '1.0'), dueIn(20, '2.0')));
    await started;
    await bench.hasStarted('1.0');
    expect(await desk.close()).toEqual({ returned: ['1.0', '2.0'], kept: [] });
  });

  it('keeps a task in steps that much work has gone into, and goes on with it as if it had not begun anew', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const first = await aDesk(1);
    const started = next('task-started');
    await first.take(answerWith(inSteps('1.0'), inSteps('2.0')));
    await started;
    await bench.hasStarted('1.0');
    vi.advanceTimersByTime(10_000);
    const suspended = next('task-suspended');
    const closed = await first.close();
    expect(await suspended).toEqual({ taskId: '1.0' });
    expect(closed).toEqual({ returned: ['2.0'], kept: ['1.0'] });
    await first.forget(closed);
    expect(await readdir(join(directory, 'tasks'))).toEqual(['1.0.json']);
    const { tasks } = await new FileTaskStore(directory).load();
    expect(tasks[0]?.starts).toBe(0);
  });

  it('returns a task in steps that little work has gone into, however long it was paused', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    bench.share = 0.25;
    const desk = await aDesk(1);
    await desk.take(answerWith(inSteps('1.0')));
    await bench.hasStarted('1.0');
    vi.advanceTimersByTime(39_000);
    expect(await desk.close()).toEqual({ returned: ['1.0'], kept: [] });
  });

  it('returns a task in steps that has hardly begun, but not one that was carried over', async () => {
    const desk = await aDesk(1);
    await desk.take(answerWith(inSteps('1.0')));
    await bench.hasStarted('1.0');
    expect(await desk.close()).toEqual({ returned: ['1.0'], kept: [] });
    bench.snapshots.add('1.0');
    bench.started.length = 0;
    const second = await aDesk(1);
    second.startTasks();
    await bench.hasStarted('1.0');
    expect(await second.close()).toEqual({ returned: [], kept: ['1.0'] });
  });

  it('holds no less work because a task was paused for a day', async () => {
    vi.useFakeTimers({ toFake: ['performance', 'Date'] });
    const desk = await aDesk(1);
    await desk.take(answerWith(dueIn(3000, '1.0')));
    await bench.hasStarted('1.0');
    vi.advanceTimersByTime(2000);
    bench.pause('1.0');
    vi.advanceTimersByTime(86_400_000);
    const finished = next('task-finished');
    bench.end('1.0');
    await finished;
    expect(desk.inHand.meanTaskMs).toBe(2000);
  });

  it('fetches ahead for as many waiting tasks as there are cores', async () => {
    const desk = await aDesk(2);
    await desk.take(answerWith(...[1, 2, 3, 4, 5, 6].map((minutes) => dueIn(minutes, `${minutes}.0`))));
    await bench.hasStarted('1.0');
    await bench.hasStarted('2.0');
    while (bench.fetched.length < 2) await new Promise((resolve) => setImmediate(resolve));
    expect(bench.fetched).toEqual(['3.0', '4.0']);
    await desk.close();
  });

  async function deskWithResult(taskId: string): Promise<TaskDesk> {
    const desk = await aDesk(1);
    const started = next('task-started');
    await desk.take(answerWith(dueIn(10, taskId)));
    await started;
    await bench.hasStarted(taskId);
    const finished = next('task-finished');
    bench.end(taskId);
    await finished;
    return desk;
  }
});
