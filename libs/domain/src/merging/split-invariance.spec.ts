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

  const lineText = fc.stringMatching(/^[a-c ]{0,6}$/);
  const cut = fc.oneof(
    fc.record({ units: fc.integer({ min: 1, max: 40 }) }),
    fc.record({ records: fc.integer({ min: 1, max: 9 }) }),
    fc.record({ maxBytes: fc.integer({ min: 1, max: 60 }) }),
  );
  const recordMerges = fc.constantFrom<Merge>(
    { kind: 'concat' },
    { kind: 'lines', sortBy: [], unique: false },
    { kind: 'lines', sortBy: ['size'], unique: true },
    { kind: 'sum' },
  );

  it('gives the same merged bytes for any records, however they end and are cut', async () => {
    const anInput = fc.oneof(
      fc.record({ delimiter: fc.constant('\n'), pieces: fc.array(lineText, { maxLength: 30, size: 'max' }) }),
      fc.record({
        delimiter: fc.constant('\n>'),
        pieces: fc.array(lineText, { maxLength: 30, size: 'max' }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(
        anInput,
        fc.boolean(),
        cut,
        recordMerges,
        async ({ delimiter, pieces }, isEnded, by, merge) => {
          const input = pieces.join(delimiter) + (isEnded ? '\n' : '');
          fc.pre(input !== '');
          const windowOf = ({ windows }: UnitToCreate): string => {
            const { offset = 0, length = 0 } = windows['input'] ?? {};
            return input.slice(offset, offset + length);
          };
          const compute: Record<Merge['kind'], Compute> = {
            concat: windowOf,
            lines: (unit) =>
              windowOf(unit)
                .split('\n')
                .filter((line) => line !== '')
                .map((line) => `${JSON.stringify({ size: line.length, line })}\n`)
                .join(''),
            sum: (unit) =>
              Array.from(windowOf(unit), (character) => `${JSON.stringify(character)}\t1\n`).join(''),
          };
          const base = { kind: 'records' as const, name: 'part', input: 'input', delimiter };
          const whole = await answer([{ ...base, units: 1 }], input, compute[merge.kind], merge);
          expect(await answer([{ ...base, ...by }], input, compute[merge.kind], merge)).toBe(whole);
          if (merge.kind === 'concat') expect(whole).toBe(input);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('gives each finding of two bytes once for any windows that overlap', async () => {
    const compute = (input: string): Compute => {
      return ({ windows }) => {
        const { offset = 0, length = 0 } = windows['input'] ?? {};
        return Array.from({ length: Math.max(0, length - 1) }, (_, i) => offset + i)
          .filter((at) => input.startsWith('ab', at))
          .map((at) => `{"at":${at}}\n`)
          .join('');
      };
    };
    const once: Merge = { kind: 'lines', sortBy: ['at'], unique: true };
    await fc.assert(
      fc.asyncProperty(
        fc.stringMatching(/^[ab]{1,80}$/),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 30 }),
        async (input, overlapBytes, freshBytes) => {
          const base = { kind: 'bytes' as const, name: 'part', input: 'input' };
          const whole = [{ ...base, windowBytes: input.length, overlapBytes: 0 }];
          const cutUp = [{ ...base, windowBytes: overlapBytes + freshBytes, overlapBytes }];
          expect(await answer(cutUp, input, compute(input), once)).toBe(
            await answer(whole, input, compute(input), once),
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  it('gives the same merged bytes for any split of each part of a product', async () => {
    const compute: Compute = ({ params }) => {
      const [from, to] = [Number(params['k']?.['from']), Number(params['k']?.['to'])];
      const lines = Array.from({ length: to - from }, (_, i) => ({
        n: from + i,
        mode: params['g']?.['mode'],
      }));
      return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    };
    const sorted: Merge = { kind: 'lines', sortBy: ['mode', 'n'], unique: false };
    const grid = { kind: 'grid' as const, name: 'g', lists: { mode: ['coarse', 'fine'] } };
    const ends = fc.tuple(fc.integer({ min: -50, max: 50 }), fc.integer({ min: 1, max: 60 }));
    await fc.assert(
      fc.asyncProperty(ends, fc.integer({ min: 1, max: 70 }), async ([from, count], step) => {
        const range = { kind: 'range' as const, name: 'k', from, to: from + count };
        const whole = await answer([{ ...range, units: 1 }, grid], '', compute, sorted);
        expect(whole.split('\n')).toHaveLength(2 * count + 1);
        expect(await answer([{ ...range, step }, grid], '', compute, sorted)).toBe(whole);
        expect(await answer([grid, { ...range, step }], '', compute, sorted)).toBe(whole);
      }),
      { numRuns: 60 },
    );
  });
});
