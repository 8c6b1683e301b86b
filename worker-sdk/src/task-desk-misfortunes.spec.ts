import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LIMITS } from '@gleaner/protocol';
import type { UnitResult } from '@gleaner/sandbox/runner';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Emitter } from './emitter.js';
import { infrastructureResult } from './result-report.js';
import { answerWith, Bench, DONE, dueIn, inSteps, nextEvent, openDesk } from './task-bench.fixture.js';
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
  it('gives a waiting task up whose deadline passes before its turn comes, and blames nobody', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const desk = await aDesk(1);
    const finished: string[] = [];
    events.on('task-finished', ({ taskId }) => finished.push(taskId));
    await desk.take(answerWith(dueIn(10, '1.0'), dueIn(20, '2.0'), dueIn(90, '3.0')));
    await bench.hasStarted('1.0');
    vi.advanceTimersByTime(30 * 60_000);
    const dropped = next('task-dropped');
    bench.end('1.0');
    expect(await dropped).toEqual({ taskId: '2.0', reason: 'its deadline passed before its turn came' });
    await bench.hasStarted('3.0');
    expect(bench.started).toEqual(['1.0', '3.0']);
    expect(bench.leftMs.get('3.0')).toBe(60 * 60_000);
    expect(finished).toEqual(['1.0']);
  });

  it.each([
    ['forward', 400],
    ['back', -400],
  ])('leaves a task the time that it was given when the clock is set %s', async (_how, days) => {
    vi.useFakeTimers({ toFake: ['performance', 'Date'] });
    const desk = await aDesk(1);
    desk.allow(0);
    await desk.take(answerWith(dueIn(10, '1.0')));
    vi.setSystemTime(Date.now() + days * 86_400_000);
    desk.allow(1);
    await bench.hasStarted('1.0');
    expect(bench.leftMs.get('1.0')).toBe(10 * 60_000);
  });

  it('computes nothing that needs more memory than is offered, and says so', async () => {
    const desk = await aDesk(1);
    const task = dueIn(10, '1.0');
    const limits = { ...task.job.limits, memoryMiB: 17 };
    const finished = next('task-finished');
    await desk.take(answerWith({ ...task, job: { ...task.job, limits } }));
    const message = 'the task needs 17 MiB of memory, this host offers 16';
    expect(await finished).toMatchObject({ taskId: '1.0', outcome: 'infrastructure', message });
    expect(bench.started).toEqual([]);
    expect(desk.unreported.taskIds).toEqual(['1.0']);
  });

  it('keeps no snapshot of a task that could not be computed here', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const desk = await aDesk(2);
    await desk.take(answerWith(inSteps('1.0'), inSteps('2.0'), dueIn(61, '3.0')));
    await bench.hasStarted('1.0');
    await bench.hasStarted('2.0');
    for (const taskId of ['1.0', '2.0', '3.0']) bench.snapshots.add(taskId);
    bench.end('1.0', infrastructureResult('the unit was not done when its time was over'));
    await expect.poll(() => [...bench.snapshots]).toEqual(['2.0', '3.0']);
    expect(desk.unreported.taskIds).toEqual(['1.0']);
  });

  it('keeps no snapshot of a waiting task whose deadline has passed', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const desk = await aDesk(2);
    desk.allow(1);
    await desk.take(answerWith(inSteps('1.0'), dueIn(61, '2.0')));
    await bench.hasStarted('1.0');
    for (const taskId of ['1.0', '2.0']) bench.snapshots.add(taskId);
    vi.advanceTimersByTime(62 * 60_000);
    desk.allow(2);
    await expect.poll(() => [...bench.snapshots]).toEqual(['1.0']);
  });

  it('keeps snapshots of suspended tasks when another one fails as the worker stops', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const run = bench.run.bind(bench);
    vi.spyOn(bench, 'run').mockImplementation((held, { suspend, ...options }) =>
      run(held, { ...options, ...(suspend && held.task.taskId === '1.0' && { suspend }) }),
    );
    const desk = await aDesk(2);
    await desk.take(answerWith(inSteps('1.0'), inSteps('2.0')));
    await bench.hasStarted('1.0');
    await bench.hasStarted('2.0');
    vi.advanceTimersByTime(10_000);
    events.on('task-suspended', () => bench.end('2.0', infrastructureResult('its sandbox was ended')));
    expect(await desk.close()).toEqual({ returned: [], kept: ['1.0'] });
    expect(desk.unreported.taskIds).toEqual(['2.0']);
  });
});

describe('TaskDesk whose sandboxes are ended by others', () => {
  const GONE = { ...infrastructureResult('the sandbox ended: signal SIGKILL'), isSandboxGone: true as const };

  it('goes on from the last snapshot, three starts in all', async () => {
    const desk = await aDesk(1);
    await desk.take(answerWith(inSteps('1.0')));
    await bench.hasStarted('1.0');
    bench.snapshots.add('1.0');
    for (const starts of [2, 3]) {
      const continued = next('task-continued');
      bench.end('1.0', GONE);
      expect(await continued).toEqual({ taskId: '1.0', reason: 'the sandbox ended: signal SIGKILL' });
      await expect.poll(() => bench.started.length).toBe(starts);
    }
    const finished = next('task-finished');
    bench.end('1.0', GONE);
    expect(await finished).toMatchObject({ outcome: 'infrastructure' });
    expect(bench.started).toHaveLength(3);
  });

  it('gives up at once what has no snapshot, and what failed otherwise', async () => {
    const desk = await aDesk(2);
    await desk.take(answerWith(inSteps('1.0'), inSteps('2.0')));
    for (const [taskId, result] of [
      ['1.0', GONE],
      ['2.0', infrastructureResult('the native stack ended')],
    ] as const) {
      await bench.hasStarted(taskId);
      if (taskId === '2.0') bench.snapshots.add(taskId);
      const finished = next('task-finished');
      bench.end(taskId, result);
      expect(await finished).toMatchObject({ taskId, outcome: 'infrastructure' });
    }
    // Both at once: which of them is first on the disk, nobody knows.
    expect(bench.started.toSorted()).toEqual(['1.0', '2.0']);
  });
});

describe('TaskDesk on a disk that takes nothing', () => {
  async function aFullDisk(): Promise<void> {
    for (const name of ['tasks', 'results', 'outputs']) {
      await rm(join(directory, name), { recursive: true, force: true });
      await writeFile(join(directory, name), 'in the way of whatever is to be written');
    }
  }

  it('computes what it holds and what it is given, and reports it from memory', async () => {
    const desk = await aDesk(1);
    await desk.take(answerWith(dueIn(10, '1.0')));
    await bench.hasStarted('1.0');
    await aFullDisk();
    const unkept = next('not-kept');
    await desk.take(answerWith(dueIn(20, '2.0')));
    expect((await unkept).taskId).toBe('2.0');
    for (const taskId of ['1.0', '2.0']) {
      await bench.hasStarted(taskId);
      const finished = next('task-finished');
      bench.end(taskId, { ...DONE, outputs: [anOutput(5)] });
      expect(await finished).toMatchObject({ taskId, outcome: 'ok' });
    }
    const due = desk.unreported.due(Date.now());
    expect(due.map(({ outcome, outputs }) => [outcome, outputs.length])).toEqual([
      ['ok', 1],
      ['ok', 1],
    ]);
    const answers = due.map(({ taskId }) => ({ taskId, status: 'accepted' as const }));
    await desk.unreported.answered(answers, 0);
    expect(desk.unreported.size).toBe(0);
  });

  it('tells as a failure of this host that outputs too large for a report are lost', async () => {
    const desk = await aDesk(1);
    await desk.take(answerWith(dueIn(10, '1.0')));
    await bench.hasStarted('1.0');
    await aFullDisk();
    const finished = next('task-finished');
    bench.end('1.0', { ...DONE, outputs: [anOutput(LIMITS.inlineOutputBytes + 1)] });
    expect(await finished).toMatchObject({ outcome: 'infrastructure' });
    expect(desk.unreported.due(Date.now())[0]?.message).toMatch(/^its outputs could not be kept: /);
  });

  it('suspends and drops what runs there', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const desk = await aDesk(2);
    await desk.take(answerWith(inSteps('1.0'), dueIn(60, '2.0')));
    await bench.hasStarted('1.0');
    await bench.hasStarted('2.0');
    await aFullDisk();
    vi.advanceTimersByTime(10_000);
    await desk.drop('2.0', 'cancelled');
    expect(await desk.close()).toEqual({ returned: [], kept: ['1.0'] });
  });

  it('leaves no task behind once a result is acknowledged that could not be kept', async () => {
    const desk = await aDesk(1);
    await desk.take(answerWith(dueIn(10, '1.0')));
    await bench.hasStarted('1.0');
    await rm(join(directory, 'results'), { recursive: true });
    const finished = next('task-finished');
    bench.end('1.0');
    await finished;
    expect(await readdir(join(directory, 'tasks'))).toEqual(['1.0.json']);
    await desk.unreported.answered([{ taskId: '1.0', status: 'accepted' }], 0);
    expect(await readdir(join(directory, 'tasks'))).toEqual([]);
  });
});

function anOutput(length: number): UnitResult['outputs'][number] {
  return { name: 'stdout', size: length, sha256: '0'.repeat(64), bytes: Buffer.alloc(length) };
}
