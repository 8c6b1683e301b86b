import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Checkpoint } from './checkpoint.js';
import type { SandboxReply, SentUnit } from './messages.js';
import type { UnitSnapshot } from './snapshot.js';

const AGE_MS = 5_000;
const EARLY_MS = 500;
const EVERY_MS = 60_000;

const unit: SentUnit = {
  id: 1,
  isWatched: false,
  moduleSha256: 'ab'.repeat(32),
  appName: 'app',
  args: [],
  env: {},
  inputs: {},
  outputs: ['stdout'],
  limits: { maxCycles: 1_000n, memoryMiB: 1, outputBytes: 1, wallMs: 1 },
  seed: '00'.repeat(32),
  checkpoint: { everyMs: EVERY_MS, path: 'snapshot' },
};
const snapshot: UnitSnapshot = {
  header: {
    runtimeVersion: '',
    moduleSha256: '',
    unitKey: '',
    cyclesLeft: '0',
    globals: [],
    memoryBytes: 0,
    memoryRuns: [],
    host: {} as UnitSnapshot['header']['host'],
  },
  segments: [],
};

/**
 * How often a unit of some age was kept after its first snapshot, which took so much CPU and time, and a while more.
 * All the time it had a processor, or as much of it as told.
 */
async function keptAfter(
  first: { cpuMs: number; othersMs: number; pauseMs: number },
  thenMs: number,
  { ageCpuMs, thenCpuMs } = { ageCpuMs: AGE_MS, thenCpuMs: thenMs },
) {
  let saves = 0;
  let ownMs = 0;
  let othersMs = 0;
  const checkpoint = new Checkpoint(unit, {
    send: () => undefined,
    cpuMs: () => ownMs + othersMs,
    otherThreadsCpuMs: () => othersMs,
    checkpoints: {
      save: () => {
        saves += 1;
        if (saves === 1) othersMs += first.othersMs;
        return Promise.resolve();
      },
      load: () => null,
      remove: () => undefined,
    },
  });
  const execution = {
    capture: () => {
      if (saves === 0) ownMs += first.cpuMs;
      if (saves === 0) vi.advanceTimersByTime(first.pauseMs);
      return snapshot;
    },
  };
  vi.advanceTimersByTime(AGE_MS);
  ownMs += ageCpuMs;
  await checkpoint.pass(execution);
  vi.advanceTimersByTime(thenMs);
  ownMs += thenCpuMs;
  await checkpoint.pass(execution);
  return saves - 1;
}

describe('a young unit', () => {
  const CHEAP = { cpuMs: 2, othersMs: 3, pauseMs: 2 };
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is kept again soon where a snapshot takes little', async () => {
    expect(await keptAfter(CHEAP, EARLY_MS)).toBe(1);
  });

  it('is kept again as soon where other programs had the processor while it was kept', async () => {
    expect(await keptAfter({ cpuMs: 2, othersMs: 3, pauseMs: 400 }, EARLY_MS + 20)).toBe(1);
  });

  it('is kept again by what it computed, however long it waited for a processor', async () => {
    expect(await keptAfter(CHEAP, 50_000, { ageCpuMs: 4_000, thenCpuMs: 499 })).toBe(0);
    expect(await keptAfter(CHEAP, 501, { ageCpuMs: 4_000, thenCpuMs: 501 })).toBe(1);
  });

  it('is kept again at the latest after the interval, also where it computed next to nothing', async () => {
    expect(await keptAfter(CHEAP, EVERY_MS - 1, { ageCpuMs: 4_000, thenCpuMs: 1 })).toBe(0);
    expect(await keptAfter(CHEAP, EVERY_MS, { ageCpuMs: 4_000, thenCpuMs: 1 })).toBe(1);
  });

  it.each([
    ['its own thread', { cpuMs: 40, othersMs: 0, pauseMs: 40 }],
    ['the threads that compress it', { cpuMs: 0, othersMs: 40, pauseMs: 1 }],
  ])('is kept the later, the more a snapshot takes of %s', async (_whose, cost) => {
    expect(await keptAfter(cost, 1_900)).toBe(0);
    expect(await keptAfter(cost, 2_001)).toBe(1);
  });
});

it('tells why a unit cannot be kept when that begins, changes and is over, not at every attempt', async () => {
  const replies: SandboxReply[] = [];
  const attempts = [null, 'full', 'full', 'read-only', null, null, 'full'];
  const checkpoint = new Checkpoint(unit, {
    send: (reply) => replies.push(reply),
    cpuMs: () => 0,
    checkpoints: {
      save: () => {
        const reason = attempts.shift();
        return typeof reason === 'string' ? Promise.reject(new Error(reason)) : Promise.resolve();
      },
      load: () => null,
      remove: () => undefined,
    },
  });
  const kept: boolean[] = [];
  while (attempts.length > 0) kept.push(await checkpoint.keep({ capture: () => snapshot }));
  expect(kept).toEqual([true, false, false, false, true, true, false]);
  expect(replies).toEqual(
    ['full', 'read-only', null, 'full'].map((reason) => ({
      type: 'checkpoint-trouble',
      id: unit.id,
      reason,
    })),
  );
});

it('goes on with a unit whose state cannot be sent, and tells why it is not kept', async () => {
  const replies: SandboxReply[] = [];
  let isShort = true;
  const send = (reply: SandboxReply) => {
    if (reply.type === 'snapshot' && isShort) throw new RangeError('Array buffer allocation failed');
    replies.push(reply);
  };
  const inTab = { ...unit, checkpoint: { everyMs: EVERY_MS, path: null, from: null } };
  const checkpoint = new Checkpoint(inTab, { send, cpuMs: () => 0 });
  expect(await checkpoint.keep({ capture: () => snapshot })).toBe(false);
  isShort = false;
  expect(await checkpoint.keep({ capture: () => snapshot })).toBe(true);
  const trouble = { type: 'checkpoint-trouble', id: unit.id };
  expect(replies).toMatchObject([
    { ...trouble, reason: 'Array buffer allocation failed' },
    { type: 'snapshot' },
    { ...trouble, reason: null },
  ]);
});
