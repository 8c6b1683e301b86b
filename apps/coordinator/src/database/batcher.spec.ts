import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Batcher, BatcherOverloadedError } from './batcher.js';

const options = { maxItems: 3, windowMs: 2, concurrency: 1, maxWaiting: 5 };

describe('Batcher', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('lets items of one window share a call and answers each with its own', async () => {
    const calls: number[][] = [];
    const batcher = new Batcher<number, number>((items) => {
      calls.push([...items]);
      return Promise.resolve(items.map((item) => item * 10));
    }, options);
    const answers = Promise.all([batcher.submit(1), batcher.submit(2)]);
    await vi.advanceTimersByTimeAsync(2);
    expect(await answers).toEqual([10, 20]);
    expect(calls).toEqual([[1, 2]]);
  });

  it('does not wait for the window when a batch is full', async () => {
    const batcher = new Batcher<number, number>((items) => Promise.resolve(items), options);
    expect(await Promise.all([batcher.submit(1), batcher.submit(2), batcher.submit(3)])).toEqual([1, 2, 3]);
  });

  it('gathers items while a call runs and takes them all next', async () => {
    const calls: number[][] = [];
    const gate = Promise.withResolvers<void>();
    const batcher = new Batcher<number, number>(async (items) => {
      calls.push([...items]);
      if (calls.length === 1) await gate.promise;
      return items;
    }, options);
    const first = batcher.submit(1);
    await vi.advanceTimersByTimeAsync(2);
    const rest = [2, 3, 4, 5].map((item) => batcher.submit(item));
    await vi.advanceTimersByTimeAsync(50);
    expect(calls).toEqual([[1]]);
    gate.resolve();
    await Promise.all([first, ...rest]);
    expect(calls).toEqual([[1], [2, 3, 4], [5]]);
  });

  it('starts calls apart under load, and at once when nothing ran lately', async () => {
    const calls: Array<{ readonly atMs: number; readonly items: readonly number[] }> = [];
    const batcher = new Batcher<number, number>(
      (items) => {
        calls.push({ atMs: performance.now(), items });
        return Promise.resolve(items);
      },
      { ...options, maxItems: 100, maxWaiting: 100, intervalMs: 10 },
    );
    const startedAtMs = performance.now();
    const answers: Array<Promise<number>> = [];
    for (let item = 0; item < 30; item += 1) {
      answers.push(batcher.submit(item));
      await vi.advanceTimersByTimeAsync(1);
    }
    await vi.advanceTimersByTimeAsync(10);
    expect(await Promise.all(answers)).toEqual(Array.from({ length: 30 }, (_, item) => item));
    expect(calls.map(({ atMs }) => atMs - startedAtMs)).toEqual([2, 12, 22, 32]);
    await vi.advanceTimersByTimeAsync(1000);
    const askedAtMs = performance.now();
    const late = batcher.submit(30);
    await vi.advanceTimersByTimeAsync(2);
    expect(await late).toBe(30);
    expect((calls.at(-1)?.atMs ?? 0) - askedAtMs).toBe(2);
  });

  it('starts calls further apart while they take long, within a bound, and closer again after', async () => {
    const startsMs: number[] = [];
    let callTakesMs = 8;
    const batcher = new Batcher<number, number>(
      async (items) => {
        startsMs.push(performance.now());
        await new Promise((resolve) => setTimeout(resolve, callTakesMs));
        return items;
      },
      { ...options, maxItems: 1_000, maxWaiting: 1_000, concurrency: 2, intervalMs: 10, busyIntervalMs: 50 },
    );
    const distanceAfter = async (ms: number): Promise<number> => {
      for (let passed = 0; passed < ms; passed += 1) {
        void batcher.submit(passed);
        await vi.advanceTimersByTimeAsync(1);
      }
      return Math.round((startsMs.at(-1) ?? 0) - (startsMs.at(-2) ?? 0));
    };
    const usual = await distanceAfter(1_000);
    expect(usual).toBeGreaterThanOrEqual(15);
    expect(usual).toBeLessThanOrEqual(17);
    callTakesMs = 400;
    expect(await distanceAfter(5_000)).toBeGreaterThanOrEqual(50);
    callTakesMs = 1;
    expect(await distanceAfter(2_000)).toBe(10);
  });

  it('starts a full call without regard to the one before', async () => {
    const sizes: number[] = [];
    const batcher = new Batcher<number, number>(
      (items) => {
        sizes.push(items.length);
        return Promise.resolve(items);
      },
      { ...options, maxWaiting: 10, intervalMs: 1000 },
    );
    await Promise.all([1, 2, 3].map((item) => batcher.submit(item)));
    await Promise.all([4, 5, 6].map((item) => batcher.submit(item)));
    expect(sizes).toEqual([3, 3]);
  });

  it('fails the items of a failed call and goes on with the next', async () => {
    let failing = true;
    const batcher = new Batcher<number, number>((items) => {
      if (failing) return Promise.reject(new Error('database away'));
      return Promise.resolve(items);
    }, options);
    const failed = expect(batcher.submit(1)).rejects.toThrow('database away');
    await vi.advanceTimersByTimeAsync(2);
    await failed;
    failing = false;
    const answered = batcher.submit(2);
    await vi.advanceTimersByTimeAsync(2);
    expect(await answered).toBe(2);
  });

  it('refuses items beyond its bound instead of queueing without end', async () => {
    const batcher = new Batcher<number, number>(() => new Promise(() => {}), options);
    for (let item = 0; item < 8; item += 1) void batcher.submit(item);
    await expect(batcher.submit(9)).rejects.toBeInstanceOf(BatcherOverloadedError);
  });
});
