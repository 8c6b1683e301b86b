import { expect, it } from 'vitest';
import type { Merge } from '@gleaner/protocol';
import { MergeError } from './merge-error.js';
import { mergeOutputs, type MergeOptions, type UnitOutput } from './merge-outputs.js';
import { memoryRunStore, type RunStore } from './run-store.js';

/* What goes wrong around a merge, and what it leaves alone. */

const CONCAT: Merge = { kind: 'concat' };
const LINES: Merge = { kind: 'lines', sortBy: [], unique: false };
const SUM: Merge = { kind: 'sum' };

/** One output of one unit, in these pieces. */
async function* anOutput(...pieces: readonly string[]): AsyncGenerator<UnitOutput> {
  yield { unitIndex: 0, content: contentOf(pieces) };
}

async function* contentOf(
  pieces: readonly string[],
  onPiece?: (at: number) => void,
): AsyncGenerator<Uint8Array> {
  for (const [at, piece] of pieces.entries()) {
    onPiece?.(at);
    yield new TextEncoder().encode(piece);
  }
}

async function merged(
  merge: Merge,
  outputs: AsyncIterable<UnitOutput>,
  options: Partial<MergeOptions> = {},
): Promise<string> {
  let text = '';
  for await (const piece of mergeOutputs(merge, outputs, { runs: memoryRunStore(), ...options }))
    text += new TextDecoder().decode(piece);
  return text;
}

it.each([
  ['in one piece', ['ok\ntoo long\nok\n']],
  ['in two pieces', ['ok\ntoo ', 'long\nok\n']],
])('a line that is too long is refused by its number where it comes whole %s', async (_how, pieces) => {
  await expect(merged(LINES, anOutput(...pieces), { maxLineBytes: 5 })).rejects.toThrow(
    'unit 0, line 2: longer than 5 bytes',
  );
});

it('a disk that fails is not taken for an output that cannot be merged', async () => {
  const failing = new Error('the disk is gone');
  const runs: RunStore = { write: () => Promise.reject(failing) };
  const merging = merged(LINES, anOutput('b\n'.repeat(20), 'a\n'), { runs, bufferBytes: 1000 });
  await expect(merging).rejects.toBe(failing);
  await expect(merging).rejects.not.toBeInstanceOf(MergeError);
});

it.each([CONCAT, LINES])('merging ($kind) ends between two pieces of an output', async (merge) => {
  const stopping = new AbortController();
  const seen: number[] = [];
  const content = contentOf(['a\n', 'b\n', 'c\n'], (at) => {
    seen.push(at);
    if (at === 1) stopping.abort(new Error('the end'));
  });
  async function* outputs(): AsyncGenerator<UnitOutput> {
    yield { unitIndex: 0, content };
  }
  await expect(merged(merge, outputs(), { signal: stopping.signal })).rejects.toThrow('the end');
  expect(seen).toEqual([0, 1]);
});

it('sums of few keys are never set aside, however many lines they have', async () => {
  const runs: RunStore = { write: () => Promise.reject(new Error('there was room in memory')) };
  const lines = Array.from({ length: 1000 }, (_, at) => `${at % 3}\t1\n`);
  expect(await merged(SUM, anOutput(...lines), { runs, bufferBytes: 2000 })).toBe('0\t334\n1\t333\n2\t333\n');
});

it('text, lists and numbers have no fields to sort by, whatever their length', async () => {
  const lines = ['"abc"', '"ab"', '[1]', '12', 'null'];
  const byLength: Merge = { kind: 'lines', sortBy: ['length'], unique: false };
  expect(await merged(byLength, anOutput(lines.map((line) => `${line}\n`).join('')))).toBe(
    lines
      .toSorted()
      .map((line) => `${line}\n`)
      .join(''),
  );
});

it('runs that are read are let go of where whoever takes the lines stops', async () => {
  const stored = memoryRunStore();
  let reading = 0;
  const runs: RunStore = {
    async write(content, signal) {
      const run = await stored.write(content, signal);
      return {
        discard: () => run.discard(),
        async *read() {
          reading += 1;
          try {
            for await (const piece of run.read()) for (const byte of piece) yield Uint8Array.of(byte);
          } finally {
            reading -= 1;
          }
        },
      };
    },
  };
  const long = Array.from({ length: 3 }, (_, at) => `${at}${'x'.repeat(70_000)}\n`);
  for await (const _ of mergeOutputs(LINES, anOutput(...long), { runs, bufferBytes: 1000 })) {
    expect(reading).toBeGreaterThan(0);
    break;
  }
  expect(reading).toBe(0);
});
