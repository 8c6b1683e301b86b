import { assert, integer, nat, option, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tasksToRequest, updatedMeanTaskMs } from './work-buffer.js';

const RULE = { bufferMs: 60_000, maxInHand: 256, maxPerCall: 64 };
const IDLE = { cores: 4, running: 0, buffered: 0, meanTaskMs: null };

describe('tasksToRequest', () => {
  it('fills only the idle cores while the length of tasks is unknown', () => {
    expect(tasksToRequest({ ...IDLE, running: 1 }, RULE)).toBe(3);
  });

  it('holds a minute of work for all cores once the length is known', () => {
    // 4 cores × 60 s of 30 s tasks = 8 ahead of the 4 that run.
    expect(tasksToRequest({ ...IDLE, running: 4, buffered: 1, meanTaskMs: 30_000 }, RULE)).toBe(7);
  });

  it('asks for nothing when the buffer is full', () => {
    expect(tasksToRequest({ ...IDLE, running: 4, buffered: 200, meanTaskMs: 30_000 }, RULE)).toBe(0);
  });

  it('never asks for more than a call or the host may hold', () => {
    const hand = record({
      cores: integer({ min: 1, max: 1024 }),
      running: nat(1024),
      buffered: nat(1024),
      meanTaskMs: option(nat(1e9)),
    });
    assert(
      property(hand, (inHand) => {
        const wanted = tasksToRequest(inHand, RULE);
        expect(wanted).toBeGreaterThanOrEqual(0);
        expect(wanted).toBeLessThanOrEqual(64);
        if (wanted > 0) {
          expect(inHand.running + inHand.buffered + wanted).toBeLessThanOrEqual(Math.max(256, inHand.cores));
        }
      }),
    );
  });
});

describe('updatedMeanTaskMs', () => {
  it('starts with the first task and follows a change of pace', () => {
    let mean = updatedMeanTaskMs(null, 1_000);
    expect(mean).toBe(1_000);
    for (let task = 0; task < 20; task += 1) mean = updatedMeanTaskMs(mean, 100);
    expect(mean).toBeLessThan(120);
  });
});
