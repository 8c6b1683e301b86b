import { expect, it } from 'vitest';
import { Stride } from './stride.js';

it('takes more where there was little and less where there was much, within its bounds', () => {
  const stride = new Stride(100, { leastMs: 60, mostMs: 350, mostRows: 8_000 });
  stride.learn(0);
  expect(stride.ms).toBe(200);
  stride.learn(5_000);
  expect(stride.ms).toBe(200);
  stride.learn(1_999);
  expect(stride.ms).toBe(350);
  for (let times = 0; times < 5; times += 1) stride.learn(8_001);
  expect(stride.ms).toBe(60);
});
