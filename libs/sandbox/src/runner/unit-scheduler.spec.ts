import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { admittedText, aUnit, commandText } from '../testing/units.js';
import type { SandboxLink } from './sandbox-link.js';
import { UnitScheduler } from './unit-scheduler.js';

const exits7 = aUnit(admittedText(commandText('(call $exit (i32.const 7))')));

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a sandbox that hangs while it starts', () => {
  it('fails its units with the reason, is killed, and is replaced for the next', async () => {
    const kill = vi.fn();
    const link: SandboxLink = { send: vi.fn(), kill, setStopped: vi.fn(), setHolding: vi.fn() };
    const open = vi.fn(() => link);
    const scheduler = new UnitScheduler(open);
    const results = Promise.all([scheduler.run(exits7), scheduler.run(exits7)]);
    await vi.advanceTimersByTimeAsync(9 * 60_000);
    expect(kill).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(60_000);
    const failure = {
      outcome: 'infrastructure',
      message: 'the sandbox cannot start: it was not ready after 10 min',
    };
    expect(await results).toMatchObject([failure, failure]);
    expect(kill).toHaveBeenCalledOnce();
    expect(open).toHaveBeenCalledOnce();
    void scheduler.run(exits7);
    await vi.advanceTimersByTimeAsync(1);
    expect(open).toHaveBeenCalledTimes(2);
    scheduler.close();
  });
});

describe('a sandbox that cannot start', () => {
  it('tells whoever waits for its start, and is tried again for whoever asks later', async () => {
    const link: SandboxLink = { send: vi.fn(), kill: vi.fn(), setStopped: vi.fn(), setHolding: vi.fn() };
    const ends: Array<(reason: string) => void> = [];
    const scheduler = new UnitScheduler((events) => {
      ends.push((reason) => events.onEnd(reason));
      return link;
    });
    const starting = expect(scheduler.start()).rejects.toThrow('the sandbox cannot start: gone');
    for (let tries = 0; tries < 3; tries += 1) ends[tries]?.('gone');
    await starting;
    expect(ends).toHaveLength(3);
    const again = scheduler.start();
    expect(ends).toHaveLength(4);
    scheduler.close();
    await again;
  });
});
