import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { followEvents, type EventStream } from './follow-events';

const CONNECTING = 0;
const CLOSED = 2;

/** A stream as a browser has it, of which the test decides what comes. */
class AStream extends EventTarget implements EventStream {
  readyState = CONNECTING;

  close(): void {
    this.readyState = CLOSED;
  }

  opens(): void {
    this.dispatchEvent(new Event('open'));
  }

  tells(data: string): void {
    this.dispatchEvent(new MessageEvent('job', { data }));
  }

  breaks(readyState: number): void {
    this.readyState = readyState;
    this.dispatchEvent(new Event('error'));
  }
}

describe('following events', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => vi.useRealTimers());

  function aFollower() {
    const streams: AStream[] = [];
    const told: string[] = [];
    let broken = 0;
    const stop = followEvents({
      open: () => {
        const stream = new AStream();
        streams.push(stream);
        return stream;
      },
      onEvent: (data) => told.push(data),
      onBroken: () => {
        broken += 1;
      },
    });
    const last = (): AStream => streams.at(-1)!;
    return { streams, told, stop, last, broken: () => broken };
  }

  it('leaves it to the browser to connect again as long as it does', () => {
    const { streams, last, broken } = aFollower();
    last().breaks(CONNECTING);
    vi.advanceTimersByTime(600_000);
    expect(streams).toHaveLength(1);
    expect(broken()).toBe(1);
  });

  it('begins anew where the browser gave up, ever later and at least each minute', () => {
    const { streams, told, last } = aFollower();
    for (const waitMs of [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]) {
      const before = streams.length;
      last().breaks(CLOSED);
      vi.advanceTimersByTime(waitMs - 1);
      expect(streams).toHaveLength(before);
      vi.advanceTimersByTime(1);
      expect(streams).toHaveLength(before + 1);
    }
    last().opens();
    last().tells('{"n":1}');
    last().breaks(CLOSED);
    vi.advanceTimersByTime(5_000);
    last().tells('{"n":2}');
    expect(told).toEqual(['{"n":1}', '{"n":2}']);
  });

  it('is over when it is stopped, also while it waits', () => {
    const { streams, last, stop } = aFollower();
    last().breaks(CLOSED);
    stop();
    vi.advanceTimersByTime(600_000);
    expect(streams).toHaveLength(1);
    expect(last().readyState).toBe(CLOSED);
  });

  it('closes at the last event', () => {
    const { last } = aFollower();
    last().dispatchEvent(new Event('end'));
    expect(last().readyState).toBe(CLOSED);
  });
});
