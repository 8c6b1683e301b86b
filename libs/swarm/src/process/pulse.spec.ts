import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Pulse } from './pulse.js';

let isIdle: boolean;
let beats: number;
let pulse: Pulse;
beforeEach(() => {
  vi.useFakeTimers();
  isIdle = true;
  beats = 0;
  pulse = new Pulse({ beat: () => (beats += 1), isIdle: () => isIdle });
  pulse.start();
});
afterEach(() => {
  pulse.stop();
  vi.useRealTimers();
});

it('beats once a second while there is nothing to do', () => {
  vi.advanceTimersByTime(10_000);
  expect(beats).toBe(10);
});

it('beats ten times a second as soon as there is something, and until there is not', () => {
  vi.advanceTimersByTime(1_050);
  isIdle = false;
  pulse.stir();
  vi.advanceTimersByTime(100);
  expect(beats).toBe(2);
  vi.advanceTimersByTime(900);
  expect(beats).toBe(11);
  isIdle = true;
  // One more that was due by then.
  vi.advanceTimersByTime(2_100);
  expect(beats).toBe(14);
});

it('is not put off by what happens again and again', () => {
  isIdle = false;
  pulse.stir();
  for (let event = 0; event < 100; event += 1) {
    vi.advanceTimersByTime(10);
    pulse.stir();
  }
  expect(beats).toBe(10);
});

it('is one pulse, also where its own beat finds something to do', () => {
  const finding = new Pulse({
    beat: () => {
      beats += 1;
      isIdle = false;
      finding.stir();
    },
    isIdle: () => isIdle,
  });
  pulse.stop();
  finding.start();
  vi.advanceTimersByTime(2_000);
  finding.stop();
  expect(beats).toBe(11);
});

it('takes no notice of what gives it nothing to do', () => {
  for (let event = 0; event < 100; event += 1) {
    vi.advanceTimersByTime(10);
    pulse.stir();
  }
  expect(beats).toBe(1);
});

it('is silent once it is stopped, also by its own beat', () => {
  const stopping = new Pulse({
    beat: () => {
      beats += 1;
      stopping.stop();
    },
    isIdle: () => true,
  });
  pulse.stop();
  stopping.start();
  vi.advanceTimersByTime(10_000);
  stopping.stir();
  vi.advanceTimersByTime(10_000);
  expect(beats).toBe(1);
});
