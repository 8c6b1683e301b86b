import { expect, it } from 'vitest';
import { HALF_LIFE_SECONDS, recentAverageCredit, RECENT_EPOCH_SECONDS } from './recent-credit.js';

const HOUR_SECONDS = 3600;
const START_SECONDS = RECENT_EPOCH_SECONDS + 3 * HALF_LIFE_SECONDS;
const weightAt = (seconds: number): number => 2 ** ((seconds - RECENT_EPOCH_SECONDS) / HALF_LIFE_SECONDS);

it('halves in a week without new credit', () => {
  const recent = 1e15 * weightAt(START_SECONDS);
  const now = recentAverageCredit(recent, START_SECONDS * 1000);
  const later = recentAverageCredit(recent, (START_SECONDS + HALF_LIFE_SECONDS) * 1000);
  expect(Number(later) / Number(now)).toBeCloseTo(0.5, 9);
});

it('is the daily credit of somebody who earns as much in every hour', () => {
  let recent = 0;
  const hours = 24 * 7 * 12;
  for (let hour = 0; hour < hours; hour += 1) recent += 1e12 * weightAt(START_SECONDS + hour * HOUR_SECONDS);
  const rac = Number(recentAverageCredit(recent, (START_SECONDS + hours * HOUR_SECONDS) * 1000));
  expect(rac / 24e12).toBeCloseTo(1, 2);
});
