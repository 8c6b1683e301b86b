import { describe, expect, it } from 'vitest';
import type { Control } from '../control/control-file.js';
import type { KeptWishes } from '../projects/wishes-file.js';
import { preferencesInForce, wishInForce } from './wish-in-force.js';

const nothingSaid: Control = { wish: { kind: 'auto' }, wishedAtMs: null, finishAskedAtMs: null };
const resumedAt = (wishedAtMs: number): Control => ({ ...nothingSaid, wishedAtMs });
const paused: Control = { ...nothingSaid, wish: { kind: 'pause', untilMs: null }, wishedAtMs: 1 };
const website = (run: 'run' | 'pause' | 'finish', receivedAtMs: number): KeptWishes => ({
  wishes: { run, version: 7 },
  receivedAtMs,
});
const pausedAfar = { kind: 'pause', untilMs: null, from: 'website' };

describe('what holds of what was said at the machine and on the website', () => {
  it.each([
    ['nothing anywhere', nothingSaid, null, { kind: 'auto' }, false, undefined],
    ['a pause there', nothingSaid, website('pause', 5), pausedAfar, false, undefined],
    ['a pause there, then resume here', resumedAt(6), website('pause', 5), { kind: 'auto' }, false, 7],
    ['resume here, then a pause there', resumedAt(4), website('pause', 5), pausedAfar, false, undefined],
    ['a pause here, then run there', paused, website('run', 5), paused.wish, false, undefined],
    ['finish there', nothingSaid, website('finish', 5), { kind: 'auto' }, true, undefined],
    ['finish there, then resume here', resumedAt(6), website('finish', 5), { kind: 'auto' }, false, 7],
  ] as const)('%s', (_what, control, afar, wish, isFinishing, overrulesWishes) => {
    expect(wishInForce(control, afar, false)).toEqual({ wish, isFinishing, overrulesWishes });
  });

  it('computes whatever the machine is used for where it was started so, but not while it is paused from afar', () => {
    expect(wishInForce(nothingSaid, null, true).wish).toEqual({ kind: 'always', untilMs: null });
    expect(wishInForce(nothingSaid, website('pause', 5), true).wish).toEqual(pausedAfar);
  });
});

describe('preferences', () => {
  it('of the file at the machine go before those of the website, field by field', () => {
    const local = { onBattery: 'pause', cores: { inUse: 1 } } as const;
    const afar = { onBattery: 'compute', whileInUse: 'compute', cores: { idle: 3, inUse: 2 } } as const;
    expect(preferencesInForce(local, afar, 8)).toMatchObject({
      onBattery: 'pause',
      whileInUse: 'compute',
      cores: { idle: 3, inUse: 1 },
    });
  });

  it('never allow more cores than the agent was started with', () => {
    expect(preferencesInForce({}, { cores: { idle: 64 } }, 2).cores).toEqual({ idle: 2, inUse: 2 });
  });
});
