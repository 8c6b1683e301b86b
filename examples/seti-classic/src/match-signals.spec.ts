import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chirpUnitHzPerS, LONGEST_FFT } from './chirp-grid.js';
import { matchSignals } from './match-signals.js';
import { type Spike } from './spike.js';
import { describeTone } from './tone.js';

const BASE_HZ = 1_420_000_000;
const SAMPLE_RATE_HZ = 9765.625;
const BLOCK_SECONDS = LONGEST_FFT / SAMPLE_RATE_HZ;
const TONE = describeTone({ bin: 40_000, chirpIndex: 100, power: 40 }, BASE_HZ, SAMPLE_RATE_HZ);

/** A spike in a block at an offset from the tone, in bins and chirp indices. */
function aSpike({ bins = 0, chirps = 0, block = 0, fftLen = LONGEST_FFT, power = 30 } = {}): Spike {
  const chirpIndex = TONE.chirpIndex + chirps;
  const chirpHzPerS = chirpIndex * chirpUnitHzPerS(SAMPLE_RATE_HZ);
  const seconds = (block + 0.5) * BLOCK_SECONDS * (fftLen / LONGEST_FFT);
  const toneHz = TONE.frequencyHz + TONE.chirpHzPerS * seconds;
  const detectionFrequencyHz = toneHz + (bins * SAMPLE_RATE_HZ) / fftLen;
  const frequencyHz = detectionFrequencyHz - chirpHzPerS * seconds;
  const bin = Math.round(((frequencyHz - BASE_HZ) * fftLen) / SAMPLE_RATE_HZ);
  return { power, fftLen, chirpIndex, chirpHzPerS, bin, frequencyHz, seconds, detectionFrequencyHz };
}

describe('matchSignals', () => {
  it('takes neighbours in chirp, length and time for one signal', () => {
    const spikes = [
      aSpike({ power: 41 }),
      aSpike({ chirps: 2 }),
      aSpike({ chirps: -3, bins: 1 }),
      aSpike({ block: 5 }),
      aSpike({ fftLen: LONGEST_FFT / 2, chirps: 12, block: 1 }),
    ];
    const match = matchSignals(spikes, [TONE]);
    expect(match).toMatchObject({ found: 1, injected: 1, false: 0 });
    expect(match.signals).toHaveLength(1);
    expect(match.signals[0]?.best.power).toBe(41);
    expect(match.signals[0]?.spikes).toHaveLength(5);
  });

  it('reports a signal that is no tone as false', () => {
    const match = matchSignals([aSpike({ bins: 3 }), aSpike()], [TONE]);
    expect(match).toMatchObject({ found: 1, false: 1 });
    expect(match.signals.map(({ tone }) => tone)).toContain(null);
  });

  it('does not count a tone as found by a smeared copy alone, nor the copy as false', () => {
    expect(matchSignals([aSpike({ chirps: 12 })], [TONE])).toMatchObject({ found: 0, false: 0 });
  });

  it('takes a spike far off in chirp for a signal of its own', () => {
    expect(matchSignals([aSpike({ chirps: 60 })], [TONE])).toMatchObject({ found: 0, false: 1 });
  });

  it('finds nothing in nothing', () => {
    expect(matchSignals([], [TONE])).toEqual({ found: 0, injected: 1, false: 0, signals: [] });
  });

  it('does not depend on the order of spikes and loses none', () => {
    const spike = fc.record({
      bins: fc.integer({ min: -40, max: 40 }),
      chirps: fc.integer({ min: -80, max: 80 }),
      block: fc.integer({ min: 0, max: 7 }),
    });
    fc.assert(
      fc.property(fc.array(spike, { maxLength: 40 }), (offsets) => {
        const spikes = offsets.map((offset, power) => aSpike({ ...offset, power }));
        const forwards = matchSignals(spikes, [TONE]);
        const backwards = matchSignals([...spikes].reverse(), [TONE]);
        expect(forwards.signals.flatMap((signal) => signal.spikes)).toHaveLength(spikes.length);
        expect([backwards.found, backwards.false]).toEqual([forwards.found, forwards.false]);
        expect(backwards.signals.map(({ best }) => best)).toEqual(forwards.signals.map(({ best }) => best));
      }),
    );
  });
});
