import { expect, it } from 'vitest';
import { memoryInputs } from './memory-inputs.js';
import { splitUnits } from './split-units.js';
import type { SplitInputs, UnitToCreate } from './split-types.js';

/** Many units take seconds of a core, of which a busy machine gives little. */
const LONG = { timeout: 600_000 };

it('splits 10 million units in constant memory', LONG, async () => {
  const before = process.memoryUsage().arrayBuffers;
  let count = 0;
  let peakBytes = 0;
  for await (const { index } of splitUnits(
    [{ kind: 'range', name: 'k', from: 0, to: 10_000_000, step: 1 }],
    memoryInputs({}),
  )) {
    count = index + 1;
    if (count % 1_000_000 === 0) peakBytes = Math.max(peakBytes, process.memoryUsage().heapUsed);
  }
  expect(count).toBe(10_000_000);
  // Ten million units kept anywhere would take more than a gigabyte.
  expect(peakBytes).toBeLessThan(256 * 1024 * 1024);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024 * 1024);
});

it('splits 3 million records of one pass in constant memory', LONG, async () => {
  const piece = new Uint8Array(64 * 1024).fill(0x0a);
  const sizeBytes = 3_000_000;
  const inputs: SplitInputs = {
    sizeBytes: () => sizeBytes,
    async *read() {
      for (let sent = 0; sent < sizeBytes; sent += piece.length) yield piece.subarray(0, sizeBytes - sent);
    },
  };
  let last: UnitToCreate | undefined;
  let peakBytes = 0;
  for await (const unit of splitUnits(
    [{ kind: 'records', name: 'part', input: 'input', delimiter: '\n', records: 1 }],
    inputs,
  )) {
    last = unit;
    if (unit.index % 1_000_000 === 0) peakBytes = Math.max(peakBytes, process.memoryUsage().heapUsed);
  }
  expect(last).toMatchObject({
    index: sizeBytes - 1,
    windows: { input: { offset: sizeBytes - 1, length: 1 } },
  });
  expect(peakBytes).toBeLessThan(256 * 1024 * 1024);
});
