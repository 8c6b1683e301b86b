import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Emitter } from './emitter.js';
import { Warnings } from './warnings.js';
import type { WorkerEvents } from './worker-events.js';

const FULL = expect.stringContaining('the state of running tasks cannot be kept (full)') as string;
const USED_TWICE = expect.stringContaining('another agent works as this host') as string;

let events: Emitter<WorkerEvents>;
let told: Array<WorkerEvents['warning']['about']>;
let warnings: Warnings;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
  events = new Emitter();
  told = [];
  events.on('warning', ({ about }) => told.push(about));
  warnings = new Warnings(events, () => undefined);
});
afterEach(() => {
  vi.useRealTimers();
});

function snapshotsOf(taskId: string, trouble: string | null): void {
  events.emit('task-snapshots', { taskId, trouble });
}

it('what cannot be kept is told once, however many tasks there are, and shown while one of them runs', () => {
  snapshotsOf('1.0', 'full');
  snapshotsOf('2.0', 'full');
  expect(warnings.sentences).toEqual([FULL]);
  events.emit('task-dropped', { taskId: '1.0', reason: '' });
  expect(warnings.sentences).toEqual([FULL]);
  snapshotsOf('2.0', null);
  expect(warnings.sentences).toEqual([]);
  snapshotsOf('3.0', 'full');
  expect(told).toEqual(['snapshots']);
});

it('a task that goes on in another sandbox tells anew', () => {
  snapshotsOf('1.0', 'full');
  events.emit('task-continued', { taskId: '1.0', reason: '' });
  expect(warnings.sentences).toEqual([]);
});

it('what comes again is told again after an hour', () => {
  for (const isUsedTwice of [true, false, true]) warnings.hostUsed(isUsedTwice);
  expect(warnings.sentences).toEqual([USED_TWICE]);
  expect(told).toEqual(['used-twice']);
  vi.advanceTimersByTime(3_600_000);
  warnings.hostUsed(true);
  expect(told).toEqual(['used-twice']);
  warnings.hostUsed(false);
  warnings.hostUsed(true);
  expect(told).toEqual(['used-twice', 'used-twice']);
});

it('what is over for one task is not told as the trouble of another', () => {
  snapshotsOf('1.0', 'full');
  snapshotsOf('2.0', 'full');
  vi.advanceTimersByTime(3_600_000);
  snapshotsOf('1.0', null);
  expect(told).toEqual(['snapshots']);
});
