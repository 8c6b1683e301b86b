import { hostState, type HostState } from '@gleaner/protocol';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { StateNotices } from './state-notices.js';

let state: HostState | null;
let notices: StateNotices;
beforeEach(() => {
  state = { phase: 'waiting', reason: 'waiting: no jobs today' };
  notices = new StateNotices(() => state);
});

/** The next call takes it along. */
function say(nowMs: number): HostState | undefined {
  const due = notices.due(nowMs);
  notices.told(due, nowMs);
  return due;
}

describe('what a host says of its state', () => {
  it('is said once, until it changes', () => {
    expect(say(0)).toEqual(state);
    expect(say(1e9)).toBeUndefined();
    expect(notices.untilDueMs(1e9)).toBe(Number.POSITIVE_INFINITY);
    state = { phase: 'paused', reason: 'paused: you are typing' };
    expect(say(1e9)).toEqual(state);
  });

  it('is nothing while that is not known', () => {
    state = null;
    expect(say(0)).toBeUndefined();
    expect(notices.untilDueMs(0)).toBe(Number.POSITIVE_INFINITY);
  });

  it('is said again where the coordinator has not heard it', () => {
    expect(notices.due(0)).toEqual(state);
    expect(notices.due(1)).toEqual(state);
  });

  it('waits for half a minute to pass since something else was said', () => {
    say(0);
    state = { phase: 'paused', reason: 'paused: you are typing' };
    expect(say(29_999)).toBeUndefined();
    expect(notices.untilDueMs(10_000)).toBe(20_000);
    expect(say(30_000)).toEqual(state);
  });

  it('does not say on what it works each time that changes', () => {
    state = { phase: 'working', reason: 'working on 1 task of a' };
    say(0);
    state = { phase: 'working', reason: 'working on 2 tasks of a' };
    expect(say(60_000)).toBeUndefined();
  });

  it('is something that a coordinator takes, whatever the reason', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.nat(300), (text, padding) => {
        state = { phase: 'waiting', reason: text + '\0'.repeat(padding % 2) + '💡'.repeat(padding) };
        expect(hostState.safeParse(notices.due(0)).success).toBe(true);
      }),
    );
  });
});
