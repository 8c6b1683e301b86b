import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { followEvents, type StreamOptions } from './follow-events';

interface Connection {
  readonly options: StreamOptions<number>;
  readonly ends: () => void;
  readonly isRead: () => boolean;
}

describe('following events', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => vi.useRealTimers());

  function aFollower({ random = (): number => 0 } = {}) {
    const network = new EventTarget();
    const connections: Connection[] = [];
    const told: number[] = [];
    let broken = 0;
    const stop = followEvents<number>({
      open: (options) => {
        const ending = Promise.withResolvers<void>();
        let isRead = false;
        // As the generated client's: whoever aborts ends it, and an end takes its listener along.
        const end = (): void => ending.resolve();
        options.signal.addEventListener('abort', end);
        void ending.promise.then(() => options.signal.removeEventListener('abort', end));
        connections.push({ options, ends: ending.resolve, isRead: () => isRead });
        return Promise.resolve({
          stream: {
            async *[Symbol.asyncIterator]() {
              isRead = true;
              await ending.promise;
              yield null;
            },
          },
        });
      },
      onEvent: (data) => told.push(data),
      onBroken: () => {
        broken += 1;
      },
      random,
      network,
    });
    const last = (): Connection => connections.at(-1)!;
    const breaks = async (): Promise<void> => {
      last().ends();
      await vi.advanceTimersByTimeAsync(0);
    };
    return { connections, told, stop, last, breaks, broken: () => broken, network };
  }

  it('tells what comes, as long as it is called a job', async () => {
    const { told, last } = aFollower();
    await vi.advanceTimersByTimeAsync(0);
    expect(last().isRead()).toBe(true);
    last().options.onSseEvent({ data: undefined as never, retry: 3_000 });
    last().options.onSseEvent({ event: 'job', id: 'a', data: 1 });
    last().options.onSseEvent({ event: 'weather', id: 'b', data: 2 });
    expect(told).toEqual([1]);
  });

  it('connects again where it never came about, ever later and at least each minute', async () => {
    const { connections, breaks, broken } = aFollower();
    for (const waitMs of [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]) {
      const before = connections.length;
      await breaks();
      expect(broken()).toBe(before);
      await vi.advanceTimersByTimeAsync(waitMs - 1);
      expect(connections).toHaveLength(before);
      await vi.advanceTimersByTimeAsync(1);
      expect(connections).toHaveLength(before + 1);
    }
  });

  it('connects again as soon as this computer is in a network again', async () => {
    const { connections, breaks, network } = aFollower();
    await breaks();
    network.dispatchEvent(new Event('online'));
    await vi.advanceTimersByTimeAsync(0);
    expect(connections).toHaveLength(2);
    network.dispatchEvent(new Event('online'));
    await vi.advanceTimersByTimeAsync(0);
    expect(connections).toHaveLength(2);
  });

  it('connects again as soon as it was asked to, and says what it has seen', async () => {
    const { connections, told, last, breaks } = aFollower();
    await breaks();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(last().options.headers).toEqual({});
    last().options.onSseEvent({ event: 'job', id: 'seventh', retry: 3_000, data: 7 });
    await breaks();
    await vi.advanceTimersByTimeAsync(3_000);
    expect(connections).toHaveLength(3);
    expect(last().options.headers).toEqual({ 'last-event-id': 'seventh' });
    last().options.onSseEvent({ event: 'job', id: 'eighth', data: 8 });
    expect(told).toEqual([7, 8]);
  });

  it('spreads over half as long again those who come back at once, and over no more than a minute', async () => {
    const { connections, breaks } = aFollower({ random: () => 0.5 });
    for (const waitMs of [6_250, 12_500, 25_000, 50_000, 60_000, 60_000]) {
      const before = connections.length;
      await breaks();
      await vi.advanceTimersByTimeAsync(waitMs - 1);
      expect(connections).toHaveLength(before);
      await vi.advanceTimersByTimeAsync(1);
      expect(connections).toHaveLength(before + 1);
    }
  });

  it('is never sooner back than it was asked to be', async () => {
    const { connections, last, breaks } = aFollower({ random: () => 0.999 });
    await vi.advanceTimersByTimeAsync(0);
    last().options.onSseEvent({ event: 'job', retry: 10_000, data: 1 });
    await breaks();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(connections).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(connections).toHaveLength(2);
  });

  it('leaves nothing behind of the connections and the waits before', async () => {
    const { breaks, stop } = aFollower();
    await vi.advanceTimersByTimeAsync(0);
    const { prototype } = AbortSignal;
    const added = vi.spyOn(prototype, 'addEventListener');
    const removed = vi.spyOn(prototype, 'removeEventListener');
    const listening = (): number => added.mock.calls.length - removed.mock.calls.length;
    for (let times = 0; times < 10; times += 1) {
      await breaks();
      await vi.advanceTimersByTimeAsync(60_000);
    }
    // One more than is counted is gone, the first connection's, and one is there, the last one's.
    expect(added.mock.calls.length).toBeGreaterThanOrEqual(20);
    expect(listening()).toBe(0);
    vi.restoreAllMocks();
    stop();
  });

  it('takes a connection on which nothing comes for a broken one, however long it stays open', async () => {
    const { connections, last, broken } = aFollower();
    await vi.advanceTimersByTimeAsync(40_000);
    // Only that the coordinator is still there.
    last().options.onSseEvent({ data: undefined as never, retry: 3_000 });
    await vi.advanceTimersByTimeAsync(44_999);
    expect([last().options.signal.aborted, broken()]).toEqual([false, 0]);
    await vi.advanceTimersByTimeAsync(1);
    expect([last().options.signal.aborted, broken()]).toEqual([true, 1]);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(connections).toHaveLength(2);
    expect(last().options.signal.aborted).toBe(false);
  });

  it('takes a client that throws for a broken connection', async () => {
    const onBroken = vi.fn();
    const open = vi.fn(() => Promise.reject(new TypeError('Failed to fetch')));
    const network = new EventTarget();
    const stop = followEvents({ open, onEvent: () => undefined, onBroken, random: () => 0, network });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(open).toHaveBeenCalledTimes(2);
    expect(onBroken).toHaveBeenCalledTimes(2);
    stop();
  });

  it('is over when it is stopped, also while it waits', async () => {
    const reading = aFollower();
    await vi.advanceTimersByTimeAsync(0);
    reading.stop();
    reading.last().options.onSseEvent({ event: 'job', data: 1 });
    const waiting = aFollower();
    await waiting.breaks();
    waiting.stop();
    await vi.advanceTimersByTimeAsync(600_000);
    for (const { connections } of [reading, waiting]) expect(connections).toHaveLength(1);
    expect([reading.told, reading.broken()]).toEqual([[], 0]);
  });

  it('is over after the last event', async () => {
    const { connections, last, breaks, broken } = aFollower();
    last().options.onSseEvent({ event: 'end', data: undefined as never });
    await breaks();
    await vi.advanceTimersByTimeAsync(600_000);
    expect(connections).toHaveLength(1);
    expect(broken()).toBe(0);
  });
});
