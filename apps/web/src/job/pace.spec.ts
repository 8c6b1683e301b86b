import { afterEach, describe, expect, it, vi } from 'vitest';
import { noteServerTime, serverNowMs } from '../api/server-clock';
import { paceOf } from './pace';

const CREATED_AT = '2026-11-21T05:00:00.000Z';

function aJob(open: number, settledLately: number) {
  return {
    job: { createdAt: CREATED_AT, units: { open, awaitingOutput: 0 } },
    picture: { settledLately, windowSeconds: 600 },
  };
}

describe('the pace of a job', () => {
  afterEach(() => vi.useRealTimers());

  it('counts over the window, or over the job’s life as long as that is shorter', () => {
    const createdMs = Date.parse(CREATED_AT);
    expect(paceOf(aJob(100, 10), createdMs + 3_600_000).unitsPerMinute).toBe(1);
    expect(paceOf(aJob(100, 10), createdMs + 60_000).unitsPerMinute).toBe(10);
    expect(paceOf(aJob(100, 10), createdMs + 60_000).remaining?.likely).toBe(600);
    expect(paceOf(aJob(100, 0), createdMs + 60_000).remaining).toBeNull();
  });

  it.each([-3_600_000, 0, 3_600_000])('is the same on a computer whose clock is off by %d ms', (offMs) => {
    const serverMs = Date.parse(CREATED_AT) + 1_200_000;
    vi.useFakeTimers({ now: serverMs + offMs });
    noteServerTime(new Date(serverMs).toUTCString());
    expect(paceOf(aJob(100, 10), serverNowMs()).unitsPerMinute).toBe(1);
  });
});
