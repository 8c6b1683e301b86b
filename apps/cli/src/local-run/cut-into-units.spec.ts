import { memoryInputs, splitUnits } from '@gleaner/domain';
import type { Split } from '@gleaner/protocol';
import { describe, expect, it } from 'vitest';
import { cutIntoUnits } from './cut-into-units.js';

const TEXT = new TextEncoder().encode('>a\nAC\n>b\nGT\n>c\nTT\n');

async function countUnits(splits: readonly Split[]): Promise<number> {
  let units = 0;
  for await (const _ of splitUnits(splits, memoryInputs({ text: TEXT }))) units += 1;
  return units;
}

function recut(split: Split, units: number): Split[] {
  return cutIntoUnits([split], units, () => TEXT.length) ?? [];
}

describe('cutIntoUnits', () => {
  it('cuts a range into the number asked for, whatever its step was', async () => {
    const range: Split = { kind: 'range', name: 'n', from: 0, to: 100, step: 9 };
    expect(await countUnits(recut(range, 7))).toBe(7);
  });

  it('never makes more units of a range than it has integers', async () => {
    expect(await countUnits(recut({ kind: 'range', name: 'n', from: 0, to: 3, step: 1 }, 50))).toBe(3);
  });

  it('cuts records evenly', async () => {
    const records: Split = { kind: 'records', name: 'r', input: 'text', delimiter: '\n>', records: 1 };
    expect(await countUnits(recut(records, 2))).toBe(2);
  });

  it('keeps the overlap of byte windows', async () => {
    const bytes: Split = { kind: 'bytes', name: 'b', input: 'text', windowBytes: 5, overlapBytes: 2 };
    expect(recut(bytes, 4)[0]).toMatchObject({ overlapBytes: 2 });
    expect(await countUnits(recut(bytes, 4))).toBe(4);
  });

  it('leaves grids alone', () => {
    expect(cutIntoUnits([{ kind: 'grid', name: 'g', lists: { x: [1, 2] } }], 5, () => 0)).toBeNull();
  });
});
