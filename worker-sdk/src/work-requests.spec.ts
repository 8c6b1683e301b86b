import type { WorkResponse } from '@gleaner/protocol';
import { describe, expect, it } from 'vitest';
import { completePolicy } from './policy.js';
import { WorkRequests } from './work-requests.js';

const NOTHING_IN_HAND = { cores: 4, running: 0, buffered: 0, meanTaskMs: null };

function someRequests(changes: { once?: boolean; inHand?: typeof NOTHING_IN_HAND } = {}): WorkRequests {
  return new WorkRequests({
    policy: completePolicy({ cores: 4, memoryMiB: 1000, bufferMs: 0 }),
    once: changes.once ?? false,
    random: () => 1,
    inHand: () => changes.inHand ?? NOTHING_IN_HAND,
  });
}

function refusal(retryAfterMs: number): WorkResponse {
  return {
    reports: [],
    jobs: [],
    tasks: [],
    noWork: [{ code: 'no-jobs', count: null, message: 'no jobs today' }],
    outputsWanted: [],
    retryAfterMs,
    heartbeatMs: 1000,
  };
}

describe('requests for work', () => {
  it('ask for what all cores can do, and for nothing where no core is allowed', () => {
    const requests = someRequests();
    expect(requests.wantedTasks(0)).toBe(4);
    requests.allow({ cores: 0, dutyCycle: 1, memoryMiB: null, reason: 'paused' });
    expect(requests.wantedTasks(0)).toBe(0);
    expect(requests.untilNextMs(0)).toBe(Number.POSITIVE_INFINITY);
  });

  it('offer each task its part of the memory that is allowed', () => {
    const requests = someRequests();
    expect(requests.requestOf(1)).toEqual({ maxTasks: 1, cores: 4, memoryMiB: 1000 });
    requests.allow({ cores: 2, dutyCycle: 1, memoryMiB: 300, reason: 'computing' });
    expect(requests.requestOf(1)).toMatchObject({ cores: 2, memoryMiB: 150 });
  });

  it('wait a little longer than they are told to, and say what was missing', () => {
    const requests = someRequests();
    expect(requests.answered(refusal(10_000), 4, 0)).toMatchObject({ retryInMs: 12_000 });
    expect(requests.waitingFor).toBe('waiting: no jobs today');
    expect(requests.wantedTasks(11_999)).toBe(0);
    expect(requests.untilNextMs(2_000)).toBe(10_000);
    expect(requests.wantedTasks(12_000)).toBe(4);
  });

  it('are ever rarer while this machine cannot compute, and at once again when it can', () => {
    const requests = someRequests();
    const waits = [1, 2, 3].map((_, index) => {
      requests.hostFailed('no disk', index * 1_000_000);
      return requests.untilNextMs(index * 1_000_000);
    });
    expect(waits[1]).toBeGreaterThan(waits[0] ?? 0);
    expect(waits[2]).toBeGreaterThan(waits[1] ?? 0);
    expect(requests.waitingFor).toContain('this machine could not compute a task (no disk)');
    requests.hostWorked();
    requests.hostFailed('no disk', 9_000_000);
    expect(requests.untilNextMs(9_000_000)).toBe(waits[0]);
  });

  it('end after one answer where one was asked for', () => {
    const requests = someRequests({ once: true });
    requests.answered(refusal(0), 4, 0);
    expect(requests.isAsking).toBe(false);
    expect(requests.wantedTasks(1_000_000)).toBe(0);
  });
});
