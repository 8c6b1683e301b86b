import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { onHostileEngine } from '../testing/hostile-engine.js';
import { bytesOfText } from '../testing/text-module.js';
import { type AdmissionOptions, admitModule } from './index.js';

const LOCALS = ['$a', '$b', '$c'] as const;
const SHUFFLES = [
  '4 5 6 7 16 17 18 19 0 1 2 3 28 29 30 31',
  '8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23',
  '3 2 1 0 16 17 18 19 20 21 22 23 24 25 26 27',
];
const BINARY = [
  'f32x4.add',
  'f32x4.mul',
  'f32x4.min',
  'f32x4.pmax',
  'f64x2.add',
  'f64x2.sub',
  'f64x2.pmin',
  'i32x4.add',
  'v128.xor',
  ...SHUFFLES.map((lanes) => `i8x16.shuffle ${lanes}`),
];

/** Values of vectors: NaNs with payloads from memory at 0, 16 and 32, integers, zeros, locals and what is made of them. */
const { vector } = fc.letrec<{ vector: string; leaf: string; operation: string; choice: string }>((tie) => ({
  vector: fc.oneof({ maxDepth: 3, depthSize: 'small' }, tie('leaf'), tie('operation'), tie('choice')),
  leaf: fc.oneof(
    fc.constantFrom(...LOCALS).map((name) => `(local.get ${name})`),
    fc.constantFrom(0, 16, 32).map((at) => `(v128.load (i32.const ${at}))`),
    fc.constantFrom('(v128.const i64x2 0 0)', '(v128.const i32x4 -1 2 -3 0x7fc00000)'),
  ),
  operation: fc
    .tuple(fc.constantFrom(...BINARY), tie('vector'), tie('vector'))
    .map(([name, first, second]) => `(${name} ${first} ${second})`),
  choice: fc
    .tuple(tie('vector'), tie('vector'))
    .map(([first, second]) => `(select ${first} ${second} (i32.and (local.get $i) (i32.const 1)))`),
}));

/** Statements on the locals, with paths that part and meet; an address for each store. */
const { block } = fc.letrec<{ block: string; statement: string }>((tie) => ({
  block: fc
    .array(tie('statement'), { minLength: 1, maxLength: 5 })
    .map((statements) => statements.join('\n')),
  statement: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    fc.tuple(fc.constantFrom(...LOCALS), vector).map(([name, value]) => `(local.set ${name} ${value})`),
    fc
      .tuple(fc.integer({ min: 4, max: 9 }), vector)
      .map(([place, value]) => `(v128.store (i32.const ${place * 16}) ${value})`),
    fc
      .tuple(tie('block'), tie('block'))
      .map(([then, otherwise]) => `(if ${ODD} (then ${then}) (else ${otherwise}))`),
    tie('block').map((then) => `(if ${ODD} (then ${then}))`),
    fc
      .tuple(tie('block'), tie('block'))
      .map(([before, after]) => `(block ${before} (br_if 0 ${ODD}) ${after})`),
    tie('block').map((body) => `(loop ${body} (br_if 0 ${COUNTS_DOWN}))`),
  ),
}));
const COUNTS_DOWN = '(i32.gt_s (local.tee $i (i32.sub (local.get $i) (i32.const 1))) (i32.const 0))';
const ODD = '(i32.and (local.get $i) (i32.const 1))';
const DATA = String.raw`\45\23\e1\ff\01\00\e0\ff\02\00\ef\ff\99\99\f9\ff\01\00\a0\00\dd\ba\fc\ff\ef\be\ad\de\00\00\fb\ff\00\00\80\3f\00\00\80\7f\00\00\80\ff\00\00\f0\7f`;

describe('programs on vectors', () => {
  it('show the NaNs of the specification on every engine, and destroy nothing', () => {
    fc.assert(
      fc.property(
        block,
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.integer({ min: 1, max: 5 }),
        (body, seed, rounds) => {
          const reference = memoryAfter(body, rounds, null, { nan: false });
          expect(memoryAfter(body, rounds, seed)).toBe(reference);
          expect(memoryAfter(body, rounds, seed + 1)).toBe(reference);
        },
      ),
      { numRuns: 150 },
    );
  });
});

/** Memory after a run on an engine that chooses NaNs by `seed`; with null on one that makes them canonical. */
function memoryAfter(
  body: string,
  rounds: number,
  seed: number | null,
  options: AdmissionOptions = {},
): string {
  const admission = admitModule(
    bytesOfText(`(module (memory (export "memory") 1) (data (i32.const 0) "${DATA}") (func (export "_start"))
      (func (export "run") (param $i i32) ${LOCALS.map((name) => `(local ${name} v128)`).join(' ')} ${body}
        ${LOCALS.map((name, i) => `(v128.store (i32.const ${160 + 16 * i}) (local.get ${name}))`).join(' ')}))`),
    options,
  );
  if (!admission.admitted) throw new Error(admission.errors[0]?.message);
  const { exports } = new WebAssembly.Instance(
    new WebAssembly.Module(onHostileEngine(admission.module, seed) as BufferSource),
  );
  (exports['run'] as (rounds: number) => void)(rounds);
  return Buffer.from((exports['memory'] as WebAssembly.Memory).buffer, 0, 256).toString('hex');
}
