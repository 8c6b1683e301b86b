import type { Split } from '@gleaner/protocol';
import { expect, it } from 'vitest';
import { estimateUnits } from './estimate-units.js';
import { memoryInputs } from './memory-inputs.js';
import type { SplitInputs } from './split-types.js';

const bytesOf = (text: string) => new TextEncoder().encode(text);
const records = (rule: { records: number } | { maxBytes: number } | { units: number }): Split => ({
  kind: 'records',
  name: 'part',
  input: 'input',
  delimiter: '\n',
  ...rule,
});

it('counts the units of a product exactly while the inputs are small', async () => {
  const product: Split[] = [
    { kind: 'range', name: 'k', from: 0, to: 4, step: 2 },
    records({ records: 1 }),
    { kind: 'grid', name: 'g', lists: { v: ['x', 'y'] } },
  ];
  expect(await estimateUnits(product, memoryInputs({ input: bytesOf('r1\nr2\nr3\n') }))).toEqual({
    units: 12,
    isExact: true,
  });
});

it('projects the records of a large input from its beginning', async () => {
  const line = bytesOf('0123456789abcde\n');
  const lines = 600_010;
  const inputs: SplitInputs = {
    sizeBytes: () => lines * line.length,
    async *read(_input, _offset, length) {
      for (let sent = 0; sent < length; sent += line.length) yield line;
    },
  };
  expect(await estimateUnits([records({ records: 100 })], inputs)).toEqual({ units: 6001, isExact: false });
  expect(await estimateUnits([records({ maxBytes: 1610 })], inputs)).toEqual({ units: 6001, isExact: false });
  expect(await estimateUnits([records({ units: 7 })], inputs)).toEqual({ units: 7, isExact: false });
});

it('names a large input in whose beginning no record ends', async () => {
  const inputs: SplitInputs = {
    sizeBytes: () => 64 * 1024 * 1024,
    async *read(_input, _offset, length) {
      yield new Uint8Array(length).fill(0x0d);
    },
  };
  expect(await estimateUnits([records({ maxBytes: 1000 })], inputs)).toMatchObject({
    isExact: false,
    withoutRecordEnd: 'input',
  });
});

it('ends between two pieces of an input when its signal aborts, however long a record is', async () => {
  const stopping = new AbortController();
  let pieces = 0;
  const inputs: SplitInputs = {
    sizeBytes: () => 1_000_000,
    async *read() {
      for (; pieces < 10; pieces += 1) {
        if (pieces === 2) stopping.abort(new Error('cancelled'));
        yield bytesOf('no end');
      }
    },
  };
  await expect(estimateUnits([records({ records: 1 })], inputs, stopping.signal)).rejects.toThrow(
    'cancelled',
  );
  expect(pieces).toBe(2);
});
