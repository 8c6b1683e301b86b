import { expect, it } from 'vitest';
import { aHeldTask } from './held-task.fixture.js';
import type { HeldTask } from './held-task.js';
import { Prefetcher } from './prefetcher.js';
import { infrastructureResult } from './result-report.js';
import type { TaskRunner } from './task-runner.js';

/** Fetches nothing, and remembers for whom it was asked to. */
class Fetching implements TaskRunner {
  readonly fetched: string[] = [];
  fails = false;

  prefetch({ task }: HeldTask): Promise<void> {
    this.fetched.push(task.taskId);
    return this.fails ? Promise.reject(new Error('the origin is away')) : Promise.resolve();
  }

  run = () => Promise.resolve(infrastructureResult('not expected to run'));
  allow = () => undefined;
  retain = () => Promise.resolve();
  close = () => Promise.resolve();
}

it('fetches for each task once, and leaves what fails to the computation', async () => {
  const runner = new Fetching();
  runner.fails = true;
  const waiting = [aHeldTask('1.0'), aHeldTask('2.0')];
  const prefetcher = new Prefetcher(runner, () => waiting);
  await Promise.all([prefetcher.follow(), prefetcher.follow()]);
  await prefetcher.follow();
  expect(runner.fetched).toEqual(['1.0', '2.0']);
});

it('remembers tasks only as long as they are held', async () => {
  const runner = new Fetching();
  const prefetcher = new Prefetcher(runner, () => [aHeldTask('1.0'), aHeldTask('2.0')]);
  await prefetcher.follow();
  expect(prefetcher.size).toBe(2);
  prefetcher.forget('1.0');
  prefetcher.forget('2.0');
  expect(prefetcher.size).toBe(0);
});

it('fetches nothing more once it has ended', async () => {
  const runner = new Fetching();
  const prefetcher = new Prefetcher(runner, () => [aHeldTask('1.0')]);
  prefetcher.end();
  await prefetcher.follow();
  expect(runner.fetched).toEqual([]);
});
