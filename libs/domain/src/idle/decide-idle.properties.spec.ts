import { WEEKDAYS } from '@gleaner/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideIdle } from './decide-idle.js';
import { DEFAULT_IDLE_PREFERENCES, type IdlePreferences } from './idle-preferences.js';
import type { ControlWish, IdleSignals } from './idle-signals.js';
import { aClock, someSignals } from './idle.fixture.js';
import { settleDecision, type SettledDecision } from './settle-decision.js';
import { isWithin } from './weekly-hours.js';

const share = fc.double({ min: 0, max: 1, noNaN: true });
const duty = fc.double({ min: 0.01, max: 1, noNaN: true });
const instant = fc.integer({ min: 0, max: 10 * 86_400_000 });
const orUnknown = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });
const someCores = orUnknown(fc.integer({ min: 0, max: 300 }));

const control: fc.Arbitrary<ControlWish> = fc.oneof(
  fc.constant({ kind: 'auto' as const }),
  fc.record({ kind: fc.constant('unclear' as const), because: fc.constant('the file is damaged') }),
  fc.record({ kind: fc.constantFrom('pause' as const, 'always' as const), untilMs: orUnknown(instant) }),
);
const signals: fc.Arbitrary<IdleSignals> = fc.record({
  control,
  cores: fc.integer({ min: 1, max: 256 }),
  inputAgeMs: orUnknown(fc.nat(600_000)),
  cpuByOthers: orUnknown(share),
  cpuPressure: orUnknown(share),
  memoryPressure: orUnknown(share),
  battery: orUnknown(fc.record({ isDischarging: fc.boolean(), charge: orUnknown(share) })),
  temperatureC: orUnknown(fc.double({ min: -20, max: 120, noNaN: true })),
  memory: orUnknown(
    fc.tuple(fc.integer({ min: 128, max: 1 << 20 }), share, share).map(([totalMiB, free, own]) => ({
      totalMiB,
      availableMiB: totalMiB * free,
      ownMiB: totalMiB * (1 - free) * own,
    })),
  ),
  freeDiskMiB: orUnknown(fc.nat(10_000)),
});
const range = fc
  .tuple(fc.nat(1439), fc.integer({ min: 1, max: 1440 }))
  .filter(([from, to]) => from !== to)
  .map(([fromMinute, toMinute]) => ({ fromMinute, toMinute }));
const hours = fc.dictionary(fc.constantFrom(...WEEKDAYS), fc.array(range, { maxLength: 3 }), { maxKeys: 7 });
const preferences: fc.Arbitrary<IdlePreferences> = fc.record({
  whileInUse: fc.constantFrom('pause' as const, 'compute' as const),
  inUseForMs: fc.nat(600_000),
  cores: fc.record({ idle: someCores, inUse: someCores }),
  duty: fc.record({ idle: duty, inUse: duty }),
  memory: fc.record({ idle: share, inUse: share }),
  maxCpuByOthers: orUnknown(share),
  onBattery: fc.constantFrom('pause' as const, 'compute' as const),
  minBatteryCharge: share,
  maxTemperatureC: orUnknown(fc.integer({ min: 30, max: 110 })),
  minFreeDiskMiB: fc.nat(5_000),
  hours: orUnknown(hours),
});
const clock = fc
  .tuple(instant, fc.nat(6), fc.nat(1439))
  .map(([epochMs, weekday, minuteOfDay]) => ({ epochMs, weekday, minuteOfDay }));

describe('decideIdle, whatever the signals, preferences and time', () => {
  it('gives never more cores, time or memory than allowed', () => {
    fc.assert(
      fc.property(signals, preferences, clock, (now, wanted, at) => {
        const decision = decideIdle(now, wanted, at);
        if (!decision.run) {
          expect([decision.cores, decision.duty, decision.memoryMiB]).toEqual([0, 0, 0]);
          return;
        }
        expect(Number.isInteger(decision.cores) && decision.cores >= 1).toBe(true);
        expect(decision.cores).toBeLessThanOrEqual(
          Math.min(now.cores, Math.max(1, wanted.cores.idle ?? now.cores)),
        );
        expect(decision.duty).toBeGreaterThan(0);
        const isInUse = now.inputAgeMs !== null && now.inputAgeMs < wanted.inUseForMs;
        if (isInUse && now.control.kind === 'auto') {
          expect(decision.cores).toBeLessThanOrEqual(
            Math.min(now.cores - 1, wanted.cores.inUse ?? now.cores),
          );
          expect(decision.duty).toBeLessThanOrEqual(wanted.duty.inUse);
          if (now.memory && decision.memoryMiB !== null)
            expect(decision.memoryMiB).toBeLessThanOrEqual(now.memory.totalMiB * wanted.memory.inUse);
        }
      }),
    );
  });

  it('never runs when a signal forbids it', () => {
    fc.assert(
      fc.property(signals, preferences, clock, (now, wanted, at) => {
        const forbids: readonly boolean[] = [
          now.control.kind === 'pause' && (now.control.untilMs ?? Infinity) > at.epochMs,
          now.temperatureC !== null &&
            wanted.maxTemperatureC !== null &&
            now.temperatureC >= wanted.maxTemperatureC,
          now.freeDiskMiB !== null && now.freeDiskMiB < wanted.minFreeDiskMiB,
        ];
        const forbidsUnlessAsked: readonly boolean[] = [
          wanted.hours !== null && !isWithin(wanted.hours, at),
          now.battery?.isDischarging === true && wanted.onBattery === 'pause',
          now.inputAgeMs !== null && now.inputAgeMs < wanted.inUseForMs && wanted.whileInUse === 'pause',
          now.cpuByOthers !== null &&
            wanted.maxCpuByOthers !== null &&
            now.cpuByOthers > wanted.maxCpuByOthers,
        ];
        const isForbidden =
          forbids.includes(true) || (now.control.kind !== 'always' && forbidsUnlessAsked.includes(true));
        if (isForbidden) expect(decideIdle(now, wanted, at).run).toBe(false);
      }),
    );
  });

  it('tells one readable sentence', () => {
    fc.assert(
      fc.property(signals, preferences, clock, (now, wanted, at) => {
        const { run, reason } = decideIdle(now, wanted, at);
        expect(reason).toMatch(run ? /^computing[^:]*: \S/ : /^paused: \S/);
        expect(reason).not.toMatch(/undefined|null|NaN|Infinity|\d\.\d{3}/);
        expect(reason.length).toBeLessThan(100);
      }),
    );
  });

  it('holds nothing against a machine of which nothing is known', () => {
    fc.assert(
      fc.property(preferences, clock, fc.integer({ min: 1, max: 256 }), (wanted, at, cores) => {
        const unknown: IdleSignals = {
          control: { kind: 'auto' },
          cores,
          inputAgeMs: null,
          cpuByOthers: null,
          cpuPressure: null,
          memoryPressure: null,
          battery: null,
          temperatureC: null,
          memory: null,
          freeDiskMiB: null,
        };
        expect(decideIdle(unknown, { ...wanted, hours: null }, at).run).toBe(true);
      }),
    );
  });
});

describe('settleDecision', () => {
  const at = (cpuByOthers: number, inputAgeMs = 3_600_000) =>
    decideIdle(someSignals({ cpuByOthers, inputAgeMs }), DEFAULT_IDLE_PREFERENCES, aClock());

  function play(
    steps: ReadonlyArray<readonly [seconds: number, decision: ReturnType<typeof at>]>,
  ): boolean[] {
    let settled: SettledDecision | null = null;
    return steps.map(([seconds, decision]) => {
      settled = settleDecision(settled, decision, seconds * 1000);
      return settled.decision.run;
    });
  }

  it('pauses at once and goes on when others have been quiet for ten seconds', () => {
    expect(
      play([
        [0, at(0)],
        [1, at(0.9)],
        [2, at(0)],
        [11, at(0)],
        [12, at(0)],
      ]),
    ).toEqual([true, false, false, false, true]);
  });

  it('counts anew when others start again', () => {
    expect(
      play([
        [0, at(0.9)],
        [1, at(0)],
        [8, at(0.9)],
        [9, at(0)],
        [12, at(0)],
        [19, at(0)],
      ]),
    ).toEqual([false, false, false, false, false, true]);
  });

  it('goes on at once after a steady signal', () => {
    expect(
      play([
        [0, at(0, 0)],
        [1, at(0)],
      ]),
    ).toEqual([false, true]);
  });

  it('is not held by a clock that was set back', () => {
    expect(
      play([
        [1000, at(0.9)],
        [1001, at(0)],
        [5, at(0)],
      ]),
    ).toEqual([false, false, true]);
  });
});
