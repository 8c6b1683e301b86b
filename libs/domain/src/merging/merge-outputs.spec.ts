import type { Merge } from '@gleaner/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addExactDecimals, formatExactDecimal, parseExactDecimal } from './exact-decimal.js';
import { mergeOutputs, type MergeOptions, type UnitOutput } from './merge-outputs.js';
import { memoryRunStore } from './run-store.js';

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** Outputs of units 0, 1, 2 …, each in pieces of `pieceBytes`. */
async function* unitOutputs(
  contents: readonly (string | Uint8Array)[],
  pieceBytes = 5,
): AsyncGenerator<UnitOutput> {
  for (const [unitIndex, content] of contents.entries()) {
    const bytes = typeof content === 'string' ? bytesOf(content) : content;
    yield { unitIndex, content: pieces(bytes, pieceBytes) };
  }
}

async function* pieces(bytes: Uint8Array, pieceBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.slice(at, at + pieceBytes);
}

async function merged(
  merge: Merge,
  contents: readonly (string | Uint8Array)[],
  about: Partial<MergeOptions> & { pieceBytes?: number } = {},
): Promise<string> {
  const { pieceBytes, ...options } = about;
  const decoder = new TextDecoder();
  let text = '';
  for await (const piece of mergeOutputs(merge, unitOutputs(contents, pieceBytes), {
    runs: memoryRunStore(),
    ...options,
  })) {
    text += decoder.decode(piece, { stream: true });
  }
  return text + decoder.decode();
}

const lines = (sortBy: string[] = [], unique = false): Merge => ({ kind: 'lines', sortBy, unique });
/** So small that every few lines are set aside as a run, and every third run merges the runs. */
const TIGHT = { bufferBytes: 1200, fanIn: 3 };

describe('concat', () => {
  it('gives the bytes of the units one after the other', async () => {
    expect(await merged({ kind: 'concat' }, ['a\n', '', 'b', 'c\n'])).toBe('a\nbc\n');
  });
});

describe('lines', () => {
  it('sorts whole lines by their UTF-8 bytes and ends each with a newline', async () => {
    expect(await merged(lines(), ['b\nä', 'a\n', 'B\n\u{1F600}\n\uFF5E'])).toBe(
      'B\na\nb\nä\n\uFF5E\n\u{1F600}\n',
    );
  });

  it('sorts by fields of JSON: absent ones first, numbers by value, then text by UTF-8', async () => {
    const input = ['"b"', '10', '2', '"10"', '-0.5', 'true', '"\uFF5E"', '"\u{1F600}"', '1e1'].map(
      (k) => `{"k":${k}}`,
    );
    expect((await merged(lines(['k']), [input.join('\n'), 'no json\n{}\n'])).split('\n')).toEqual([
      'no json',
      '{}',
      '{"k":-0.5}',
      '{"k":2}',
      '{"k":10}',
      '{"k":1e1}',
      '{"k":"10"}',
      '{"k":"b"}',
      '{"k":true}',
      '{"k":"\uFF5E"}',
      '{"k":"\u{1F600}"}',
      '',
    ]);
  });

  it('compares integers of any size exactly', async () => {
    const big = [
      '9007199254740993',
      '9007199254740992',
      '123456789012345678901',
      '123456789012345678900',
      '1e20',
    ];
    const sorted = await merged(lines(['n']), [big.map((n) => `{"n":${n}}\n`).join('')]);
    expect(sorted.match(/[0-9e]+(?=\})/g)).toEqual([
      '9007199254740992',
      '9007199254740993',
      '1e20',
      '123456789012345678900',
      '123456789012345678901',
    ]);
  });

  it('uses later fields where earlier ones are equal', async () => {
    const input = '{"a":2,"b":1}\n{"a":1,"b":2}\n{"a":1,"b":10}\n';
    expect(await merged(lines(['a', 'b']), [input])).toBe('{"a":1,"b":2}\n{"a":1,"b":10}\n{"a":2,"b":1}\n');
  });

  it('drops repeated lines when unique, and keeps them otherwise', async () => {
    expect(await merged(lines([], true), ['x\ny\nx\n', 'x\n'])).toBe('x\ny\n');
    expect(await merged(lines(), ['x\ny\nx\n', 'x\n'])).toBe('x\nx\nx\ny\n');
  });

  it('keeps bytes that are no UTF-8', async () => {
    const odd = Uint8Array.of(0xff, 0x0a, 0x80, 0x0a);
    const parts: number[] = [];
    for await (const piece of mergeOutputs(lines(['k']), unitOutputs([odd]), { runs: memoryRunStore() }))
      parts.push(...piece);
    expect(parts).toEqual([0x80, 0x0a, 0xff, 0x0a]);
  });

  it('gives the same bytes however the lines are cut into units, ordered and buffered', async () => {
    const value = fc.oneof(
      fc.integer({ min: -20, max: 20 }),
      fc.string({ maxLength: 3 }),
      fc.double(),
      fc.constant(null),
    );
    const line = fc.oneof(
      fc.record({ a: value, b: value }, { requiredKeys: [] }).map((record) => JSON.stringify(record)),
      fc.string({ maxLength: 6 }).map((text) => text.replaceAll('\n', '')),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 60, size: 'max' }).map((all) => all.filter((text) => text !== '')),
        fc.array(fc.nat(60), { maxLength: 5 }),
        fc.boolean(),
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 2, max: 12 }),
        async (all, cuts, unique, pieceBytes, fanIn) => {
          const whole = await merged(lines(['a', 'b'], unique), [all.join('\n')]);
          const units = cutInto(all.toReversed(), cuts).map((part) =>
            part.map((text) => `${text}\n`).join(''),
          );
          expect(await merged(lines(['a', 'b'], unique), units, { ...TIGHT, pieceBytes, fanIn })).toBe(whole);
          const expected = unique ? new Set(all).size : all.length;
          expect(whole.split('\n').length - 1).toBe(expected);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('come whole out of runs that are longer than a piece', async () => {
    const all = Array.from({ length: 4_000 }, (_, i) => `${(i * 7919) % 4_000}`.padStart(100, '0'));
    const units = cutInto(all, [1_000, 2_500]).map((part) => part.map((text) => `${text}\n`).join(''));
    const sorted = all.toSorted().map((text) => `${text}\n`);
    expect(await merged(lines(), units, { bufferBytes: 500_000, pieceBytes: 4096 })).toBe(sorted.join(''));
  });

  it('takes lines of up to the bound, however many come in one piece', async () => {
    const content = 'abcde\n'.repeat(4);
    expect(await merged(lines(), [content], { maxLineBytes: 5, pieceBytes: 64 })).toBe(content);
    expect(await merged(lines(), [content], { maxLineBytes: 5, pieceBytes: 4 })).toBe(content);
  });

  it('refuses a line that is too long and says where', async () => {
    await expect(merged(lines(), ['ok\n', 'ok\ntoo long\n'], { maxLineBytes: 5 })).rejects.toThrow(
      'unit 1, line 2: longer than 5 bytes',
    );
    await expect(merged(lines(), ['never ends'], { maxLineBytes: 5 })).rejects.toThrow('unit 0, line 1');
  });
});

describe('sum', () => {
  const sum: Merge = { kind: 'sum' };

  it('adds integers and decimals exactly by key, keys in byte order', async () => {
    expect(await merged(sum, ['b\t1\na\t0.1\n', 'a\t0.2\nb\t9007199254740993\nB\t-1\n'])).toBe(
      'B\t-1\na\t0.3\nb\t9007199254740994\n',
    );
  });

  it.each([
    ['key\t1e5', '"1e5" is not an integer or exact decimal'],
    ['key\tNaN', '"NaN" is not an integer'],
    ['key\t1\t2', '"1\\t2" is not an integer'],
    ['key 1', 'is not KEY, a tab and a number'],
    [`key\t${'1'.repeat(1001)}`, 'the number is longer than 1000 bytes'],
    [`\t${'1'.repeat(1001)}`, 'the number is longer than 1000 bytes'],
  ])('refuses %j with unit, line and reason', async (line, reason) => {
    await expect(merged(sum, ['k\t1\n', `k\t1\n${line}\n`])).rejects.toThrow(`unit 1, line 2: ${reason}`);
  });

  it('gives totals that are longer than any addend may be', async () => {
    const [large, small] = ['9'.repeat(1000), `0.${'9'.repeat(998)}`];
    const addends = Array.from({ length: 4 }, () => `k\t${large}\nk\t${small}\n`);
    const expected = await merged({ kind: 'sum' }, addends);
    expect(expected).toHaveLength('k\t'.length + 1001 + '.'.length + 998 + '\n'.length);
    expect(await merged({ kind: 'sum' }, addends, TIGHT)).toBe(expected);
  });

  it('gives the same totals however the lines are cut into units and buffered', async () => {
    const entry = fc.tuple(
      fc.constantFrom('a', 'b', 'c', 'ä', ''),
      fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }),
      fc.nat(4),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(entry, { maxLength: 60, size: 'max' }),
        fc.array(fc.nat(60), { maxLength: 5 }),
        async (entries, cuts) => {
          const all = entries.map(
            ([key, digits, scale]) => `${key}\t${formatExactDecimal({ digits, scale })}`,
          );
          const units = cutInto(all.toReversed(), cuts).map((part) =>
            part.map((text) => `${text}\n`).join(''),
          );
          const whole = await merged(sum, [all.join('\n')]);
          expect(await merged(sum, units, TIGHT)).toBe(whole);
          for (const line of whole.split('\n').slice(0, -1)) {
            const [key, total] = line.split('\t');
            const expected = entries
              .filter(([other]) => other === key)
              .map(([, digits, scale]) => ({ digits, scale }))
              .reduce(addExactDecimals);
            expect(total).toBe(formatExactDecimal(expected));
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('bounds', () => {
  it('never holds more than the buffer and one piece a run, and discards every run', async () => {
    let open = 0;
    let most = 0;
    const store = memoryRunStore();
    const runs: MergeOptions['runs'] = {
      async write(content, signal) {
        const run = await store.write(content, signal);
        open += 1;
        most = Math.max(most, open);
        return {
          read: () => run.read(),
          discard: async () => {
            open -= 1;
            await run.discard();
          },
        };
      },
    };
    const units = Array.from({ length: 200 }, (_, i) => `${(i * 7919) % 1000}\n`.repeat(3));
    expect((await merged(lines(), units, { ...TIGHT, runs })).split('\n')).toHaveLength(601);
    expect(most).toBeLessThanOrEqual(TIGHT.fanIn + 1);
    expect(most).toBeGreaterThan(1);
    expect(open).toBe(0);
  });

  it('stops midway when its signal aborts, and discards its runs', async () => {
    const controller = new AbortController();
    async function* endless(): AsyncGenerator<UnitOutput> {
      for (let unitIndex = 0; ; unitIndex += 1) {
        if (unitIndex === 100) controller.abort(new Error('cancelled'));
        yield { unitIndex, content: pieces(bytesOf(`${unitIndex}\n`), 64) };
      }
    }
    const merging = mergeOutputs(lines(), endless(), {
      runs: memoryRunStore(),
      ...TIGHT,
      signal: controller.signal,
    });
    await expect(merging.next()).rejects.toThrow('cancelled');
  });
});

describe('exact decimals', () => {
  it('survive printing and reading', () => {
    fc.assert(
      fc.property(fc.bigInt(), fc.nat(30), (digits, scale) => {
        expect(parseExactDecimal(formatExactDecimal({ digits, scale }))).toEqual({ digits, scale });
      }),
    );
  });
});

function cutInto(all: readonly string[], cuts: readonly number[]): string[][] {
  const ends = [...cuts.map((cut) => Math.min(cut, all.length)), all.length].sort((a, b) => a - b);
  return ends.map((end, at) => all.slice(at === 0 ? 0 : ends[at - 1], end));
}
