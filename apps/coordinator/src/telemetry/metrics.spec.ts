import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Metrics } from './metrics.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

it('metrics are written once a second, however many ask', async () => {
  const metrics = new Metrics();
  const served = async (): Promise<string | undefined> =>
    /^gleaner_origin_bytes_total (\d+)$/m.exec(await metrics.text())?.[1];
  expect(await served()).toBe('0');
  metrics.blobBytesServed.inc(5);
  expect(await served()).toBe('0');
  vi.advanceTimersByTime(1_000);
  expect(await served()).toBe('5');
});
