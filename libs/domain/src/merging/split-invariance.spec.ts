import type { Merge, Split } from '@gleaner/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memoryInputs, splitUnits, type UnitToCreate } from '../splitting/index.js';
import { mergeOutputs, type UnitOutput } from './merge-outputs.js';
import { memoryRunStore } from './run-store.js';

/** What an app whose answer does not depend on the split writes for one unit. */
type Compute = (unit: UnitToCreate) => string;

async function answer(
  split: readonly Split[],
  input: string,
  compute: Compute,
  merge: Merge,
): Promise<string> {
  const inputs = memoryInputs({ input: new TextEncoder().encode(input) });
  async function* outputs(): AsyncGenerator<UnitOutput> {
    for await (const unit of splitUnits(split, inputs)) {
      yield {
        unitIndex: unit.index,
        content: memoryInputs({ out: new TextEncoder().encode(compute(unit)) }).read('out', 0, Infinity),
      };
    }
  }
  const decoder = new TextDecoder();
  let text = '';
  for await (const piece of mergeOutputs(merge, outputs(), {
    runs: memoryRunStore(),
    bufferBytes: 2000,
    fanIn: 3,
  })) {
    text += decoder.decode(piece, { stream: true });
  }
  return text;
}

describe('any split of the same job', () => {
  it('gives the same merged bytes over a range, for concat, lines and sum', async () => {
    const from = (unit: UnitToCreate) => Number(unit.params['k']?.['from']);
    const to = (unit: UnitToCreate) => Number(unit.params['k']?.['to']);
    const integers = (unit: UnitToCreate) =>
      Array.from({ length: to(unit) - from(unit) }, (_, i) => from(unit) + i);
    const compute: Record<Merge['kind'], Compute> = {
      concat: (unit) =>
        integers(unit)
          .map((n) => `${n}\n`)
          .join(''),
      lines: (unit) =>
        integers(unit)
          .map((n) => `{"n":${n},"square":${n * n}}\n`)
          .join(''),
      sum: (unit) =>
        integers(unit)
          .map((n) => `mod ${n % 7}\t${n}\n`)
          .join(''),
    };
    const merges: Merge[] = [
      { kind: 'concat' },
      { kind: 'lines', sortBy: ['n'], unique: false },
      { kind: 'sum' },
    ];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...merges), fc.integer({ min: 1, max: 120 }), async (merge, units) => {
        const range = { kind: 'range' as const, name: 'k', from: -40, to: 60 };
        const whole = await answer([{ ...range, units: 1 }], '', compute[merge.kind], merge);
        expect(await answer([{ ...range, units }], '', compute[merge.kind], merge)).toBe(whole);
        expect(await answer([{ ...range, step: units }], '', compute[merge.kind], merge)).toBe(whole);
      }),
      { numRuns: 60 },
    );
  });

  it('gives the same merged bytes over the records of an input', async () => {
    const genomes = Array.from(
      { length: 50 },
      (_, i) => `>genome ${i}\n${'ACGT'.repeat(i % 9)}\nA${i % 5}\n`,
    ).join('');
    const compute: Compute = ({ windows }) => {
      const { offset = 0, length = 0 } = windows['input'] ?? {};
      const records = genomes.slice(offset, offset + length).split(/^(?=>)/m);
      return records
        .map((record) => `A${/A(\d)\n$/.exec(record)?.[1]}\t1\nlength\t${record.length}\n`)
        .join('');
    };
    const base = { kind: 'records' as const, name: 'part', input: 'input', delimiter: '\n>' };
    const sum: Merge = { kind: 'sum' };
    const whole = await answer([{ ...base, units: 1 }], genomes, compute, sum);
    expect(whole).toContain(`length\t${genomes.length}\n`);
    for (const cut of [{ units: 7 }, { units: 50 }, { records: 3 }, { maxBytes: 100 }]) {
      expect(await answer([{ ...base, ...cut }], genomes, compute, sum)).toBe(whole);
    }
  });
});
