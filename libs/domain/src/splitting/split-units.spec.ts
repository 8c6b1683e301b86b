import type { RecordsSplit, Split } from '@gleaner/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { estimateUnits } from './estimate-units.js';
import { memoryInputs } from './memory-inputs.js';
import { splitUnits } from './split-units.js';
import type { SplitInputs, UnitToCreate } from './split-types.js';

const noInputs = memoryInputs({});
const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

async function unitsOf(
  splits: readonly Split[],
  inputs: SplitInputs = noInputs,
  from = 0,
): Promise<UnitToCreate[]> {
  const units: UnitToCreate[] = [];
  for await (const unit of splitUnits(splits, inputs, { from })) units.push(unit);
  return units;
}

/** The text of each unit's window of `input`. */
async function windowTexts(content: string, split: Split, pieceBytes?: number): Promise<string[]> {
  const bytes = bytesOf(content);
  const units = await unitsOf([split], memoryInputs({ input: bytes }, pieceBytes));
  return units.map(({ windows }) => {
    const { offset, length } = windows['input']!;
    return textOf(bytes.subarray(offset, offset + length));
  });
}

const records = (about: Partial<RecordsSplit>): RecordsSplit => ({
  kind: 'records',
  name: 'part',
  input: 'input',
  delimiter: '\n',
  ...about,
});

describe('range', () => {
  it('cuts by step, the last piece shorter, and tells from, to and index', async () => {
    const units = await unitsOf([{ kind: 'range', name: 'k', from: -5, to: 2, step: 3 }]);
    expect(units.map(({ params }) => params['k'])).toEqual([
      { from: -5, to: -2, index: 0 },
      { from: -2, to: 1, index: 1 },
      { from: 1, to: 2, index: 2 },
    ]);
  });

  it('has every integer in exactly one unit, by step and by units, up to the ends of the safe integers', async () => {
    const bound = fc.oneof(fc.integer({ min: -1000, max: 1000 }), fc.maxSafeInteger());
    await fc.assert(
      fc.asyncProperty(
        bound,
        fc.nat(10 ** 9),
        fc.integer({ min: 1, max: 50 }),
        fc.boolean(),
        async (from, size, pieces, byStep) => {
          const to = Math.min(Number.MAX_SAFE_INTEGER, from + size);
          const cut = byStep ? { step: Math.max(1, Math.ceil((to - from) / pieces)) } : { units: pieces };
          const split: Split = { kind: 'range', name: 'k', from, to, ...cut };
          const units = await unitsOf([split]);
          let next = from;
          for (const { params } of units) {
            const end = Number(params['k']?.['to']);
            expect(params['k']?.['from']).toBe(next);
            expect(end).toBeGreaterThan(next);
            next = end;
          }
          expect(next).toBe(to);
          expect(units.length).toBeLessThanOrEqual(pieces);
          expect(await estimateUnits([split], noInputs)).toEqual({ units: units.length, isExact: true });
        },
      ),
    );
  });

  it('yields nothing for an empty or reversed range', async () => {
    expect(await unitsOf([{ kind: 'range', name: 'k', from: 3, to: 3, step: 1 }])).toEqual([]);
    expect(await unitsOf([{ kind: 'range', name: 'k', from: 3, to: 1, units: 4 }])).toEqual([]);
  });
});

describe('grid', () => {
  it('combines its lists in byte order of their names, the last varying fastest', async () => {
    const lists = { b: [1, 2], a: ['x', 'y'], C: [0] };
    const units = await unitsOf([{ kind: 'grid', name: 'g', lists }]);
    expect(units.map(({ params }) => params['g'])).toEqual([
      { C: 0, a: 'x', b: 1 },
      { C: 0, a: 'x', b: 2 },
      { C: 0, a: 'y', b: 1 },
      { C: 0, a: 'y', b: 2 },
    ]);
  });
});

describe('bytes', () => {
  it('has every byte in exactly one window, overlap aside, and no window after the end', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(300),
        fc.integer({ min: 1, max: 40 }),
        fc.nat(39),
        async (size, windowBytes, overlap) => {
          const overlapBytes = Math.min(overlap, windowBytes - 1);
          const split: Split = { kind: 'bytes', name: 'w', input: 'input', windowBytes, overlapBytes };
          const units = await unitsOf([split], memoryInputs({ input: new Uint8Array(size) }));
          let covered = 0;
          for (const [at, { windows }] of units.entries()) {
            const { offset, length } = windows['input']!;
            expect(offset).toBe(at * (windowBytes - overlapBytes));
            expect(offset === 0 ? 0 : offset + overlapBytes).toBe(covered);
            expect(length === windowBytes || at === units.length - 1).toBe(true);
            expect(offset + length).toBeGreaterThan(covered);
            covered = offset + length;
          }
          expect(covered).toBe(size);
        },
      ),
    );
  });
});

describe('records', () => {
  it('gives whole records, each window starting with what follows the newline of the delimiter', async () => {
    const fasta = '>a\nAC\nGT\n>b\nTT\n>c\nG';
    expect(await windowTexts(fasta, records({ delimiter: '\n>', records: 2 }))).toEqual([
      '>a\nAC\nGT\n>b\nTT\n',
      '>c\nG',
    ]);
  });

  it('closes a unit before it would grow beyond maxBytes; a longer record stands alone', async () => {
    const split = records({ maxBytes: 5 });
    expect(await windowTexts('aa\nb\nlong line\nc\nd\n', split)).toEqual([
      'aa\nb\n',
      'long line\n',
      'c\nd\n',
    ]);
  });

  it('cuts evenly by bytes into at most `units`', async () => {
    expect(await windowTexts('1\n2\n3\n4\n5\n6\n', records({ units: 3 }))).toEqual([
      '1\n2\n',
      '3\n4\n',
      '5\n6\n',
    ]);
    expect(await windowTexts('a very long first record\nb\n', records({ units: 5 }))).toHaveLength(2);
  });

  it('end with a delimiter that begins in the midst of what was nearly one', async () => {
    const split = records({ delimiter: 'aabaaac', records: 1 });
    expect(await windowTexts('aabaaabaaac.', split)).toEqual(['aabaaabaaac', '.']);
  });

  it('has every record in exactly one unit, wherever the pieces of the input are cut', async () => {
    const rule = fc.oneof(
      fc.record({ records: fc.integer({ min: 1, max: 5 }) }),
      fc.record({ maxBytes: fc.integer({ min: 1, max: 20 }) }),
      fc.record({ units: fc.integer({ min: 1, max: 9 }) }),
    );
    const delimiter = fc.string({ unit: fc.constantFrom('a', 'b', '\n', '>'), minLength: 1, maxLength: 6 });
    // Of parts of the delimiter: many beginnings that come to nothing hide where another one begins, and ends look like more than they are.
    const part = fc.tuple(fc.oneof(fc.constant(0), fc.nat(6)), fc.nat(6));
    const parts = fc.array(part, { maxLength: 30, size: 'max' });
    await fc.assert(
      fc.asyncProperty(
        parts,
        delimiter,
        rule,
        fc.integer({ min: 1, max: 7 }),
        async (cuts, delimiter, rule, piece) => {
          const text = cuts.map(([from, to]) => delimiter.slice(from, to) || '-').join('');
          const windows = await windowTexts(text, records({ delimiter, ...rule }), piece);
          const expected = naiveRecords(text, delimiter);
          expect(windows.join('')).toBe(text);
          const ends = new Set(endsOf(expected));
          for (const end of endsOf(windows)) expect(ends).toContain(end);
          expect(windows.every((window) => window !== '')).toBe(true);
          if ('records' in rule) expect(windows).toHaveLength(Math.ceil(expected.length / rule.records));
          if ('maxBytes' in rule) {
            for (const window of windows)
              expect(window.length <= rule.maxBytes || expected.includes(window)).toBe(true);
          }
          if ('units' in rule) expect(windows.length).toBeLessThanOrEqual(rule.units);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('products', () => {
  const content = bytesOf('r1\nr2\nr3\n');
  const product: Split[] = [
    { kind: 'range', name: 'k', from: 0, to: 4, step: 2 },
    records({ records: 1 }),
    { kind: 'grid', name: 'g', lists: { v: ['x', 'y'] } },
  ];

  it('vary the first split slowest and keep windows and values of each', async () => {
    const units = await unitsOf(product, memoryInputs({ input: content }));
    expect(units.map(({ index }) => index)).toEqual(Array.from({ length: 12 }, (_, i) => i));
    expect(units[7]).toEqual({
      index: 7,
      params: { k: { from: 2, to: 4, index: 1 }, part: { offset: 0, length: 3, index: 0 }, g: { v: 'y' } },
      windows: { input: { offset: 0, length: 3 } },
    });
  });

  it('read an inner input once, however many points come before it', async () => {
    const stored = memoryInputs({ input: content });
    let reads = 0;
    const inputs: SplitInputs = {
      ...stored,
      read: (...part) => {
        reads += 1;
        return stored.read(...part);
      },
    };
    expect(await unitsOf(product, inputs)).toHaveLength(12);
    expect(reads).toBe(1);
  });

  it('have all of more inner records than are remembered, from any unit', async () => {
    const lines = 16_400;
    const inputs = memoryInputs({ input: bytesOf('\n'.repeat(lines)) });
    const splits: Split[] = [{ kind: 'range', name: 'k', from: 0, to: 2, step: 1 }, records({ records: 1 })];
    for (const from of [0, lines - 10, lines + 10]) {
      const units = await unitsOf(splits, inputs, from);
      const places = units.map(
        ({ params: { k, part } }) => Number(k?.['from']) * lines + Number(part?.['offset']),
      );
      expect(places).toEqual(Array.from({ length: 2 * lines - from }, (_, at) => from + at));
    }
  });

  it('are empty when one of their splits is', async () => {
    const empty = memoryInputs({ input: new Uint8Array(0) });
    expect(await unitsOf(product, empty)).toEqual([]);
    expect(await estimateUnits(product, empty)).toEqual({ units: 0, isExact: true });
  });
});

describe('splitting', () => {
  const range: Split = { kind: 'range', name: 'k', from: 0, to: 4, step: 2 };
  const grid: Split = { kind: 'grid', name: 'g', lists: { v: ['x', 'y'], w: [1, 2, 3] } };
  const bytes: Split = { kind: 'bytes', name: 'w', input: 'input', windowBytes: 4, overlapBytes: 1 };

  it.each<[string, Split[]]>([
    ['a range', [range]],
    ['a grid', [grid]],
    ['bytes', [bytes]],
    ['so many records', [records({ records: 2 })]],
    ['records of so many bytes', [records({ maxBytes: 6 })]],
    ['records, evenly', [records({ units: 3 })]],
    ['a range of records', [range, records({ records: 1 }), grid]],
    ['records over a range', [records({ records: 1 }), range]],
    ['bytes over a grid', [bytes, grid]],
  ])('of %s goes on from any index with the very same units', async (_what, splits) => {
    const inputs = memoryInputs({ input: bytesOf('r1\nr2\nr3\nr4\nr5\n') });
    const all = await unitsOf(splits, inputs);
    expect(all.length).toBeGreaterThan(1);
    for (let from = 0; from <= all.length; from += 1)
      expect(await unitsOf(splits, inputs, from)).toEqual(all.slice(from));
  });

  it('stops midway when its signal aborts', async () => {
    const controller = new AbortController();
    const split = splitUnits([{ kind: 'range', name: 'k', from: 0, to: 1000, step: 1 }], noInputs, {
      signal: controller.signal,
    });
    await split.next();
    controller.abort(new Error('cancelled'));
    await expect(split.next()).rejects.toThrow('cancelled');
  });
});

function endsOf(pieces: readonly string[]): number[] {
  let end = 0;
  return pieces.map((piece) => (end += piece.length));
}

/** Records by their definition, with the whole text at hand. */
function naiveRecords(text: string, delimiter: string): string[] {
  const found: string[] = [];
  const newline = delimiter.lastIndexOf('\n');
  const inRecord = newline < 0 ? delimiter.length : newline + 1;
  let start = 0;
  for (let at = text.indexOf(delimiter); at >= 0; at = text.indexOf(delimiter, at + delimiter.length)) {
    found.push(text.slice(start, at + inRecord));
    start = at + inRecord;
  }
  return start < text.length ? [...found, text.slice(start)] : found;
}
