import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { LeftMemory } from './left-memory.js';

const MIB = 1024 * 1024;

let collected: number;
let left: LeftMemory;
beforeEach(() => {
  vi.useFakeTimers();
  collected = 0;
  left = new LeftMemory(() => (collected += 1));
});
afterEach(() => {
  vi.useRealTimers();
});

it('much memory is freed before the next unit, little of it once there is none', () => {
  left.add(MIB);
  left.beforeUnit();
  expect(collected).toBe(0);
  left.add(127 * MIB);
  left.beforeUnit();
  expect(collected).toBe(1);
  left.add(MIB);
  left.whenIdle();
  vi.advanceTimersByTime(1000);
  expect(collected).toBe(2);
  left.whenIdle();
  vi.advanceTimersByTime(1000);
  expect(collected).toBe(2);
});

it('nothing is freed while a unit runs, however often there was nothing to do before', () => {
  left.add(MIB);
  // As for requests whose units were all dropped.
  for (let requests = 0; requests < 3; requests += 1) left.whenIdle();
  left.beforeUnit();
  vi.advanceTimersByTime(10_000);
  expect(collected).toBe(0);
});
