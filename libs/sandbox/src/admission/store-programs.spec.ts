import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { onHostileEngine } from '../testing/hostile-engine.js';
import { bytesOfText } from '../testing/text-module.js';
import { type AdmissionOptions, admitModule } from './index.js';

const POINTERS = ['$p', '$q', '$r'] as const;
const ADDRESS_MASK = 0x7c;
const ROUNDS = 3;

const pointer = fc.constantFrom(...POINTERS);
const offset = fc.constantFrom(0, 4, 8, 16, 24);
const value = fc.constantFrom(
  '(f64.sub (local.get $inf) (local.get $inf))',
  '(f64.mul (local.get $inf) (local.get $zero))',
  '(f64.add (local.get $zero) (f64.const 1))',
);

const store = fc
  .tuple(pointer, offset, value)
  .map(([at, plus, stored]) => `(f64.store offset=${plus} (local.get ${at}) ${stored})`);
const look = fc
  .tuple(pointer, offset)
  .map(
    ([at, plus]) =>
      `(local.set $seen (i64.add (i64.rotl (local.get $seen) (i64.const 5)) (i64.load offset=${plus} (local.get ${at}))))`,
  );
const move = fc.oneof(
  fc
    .tuple(pointer, fc.nat(ADDRESS_MASK))
    .map(([to, at]) => `(local.set ${to} (i32.const ${at & ADDRESS_MASK}))`),
  fc
    .tuple(pointer, pointer, fc.constantFrom(4, 8, -8))
    .map(
      ([to, from, by]) =>
        `(local.set ${to} (i32.and (i32.add (local.get ${from}) (i32.const ${by})) (i32.const ${ADDRESS_MASK})))`,
    ),
  fc
    .tuple(pointer, pointer, fc.constantFrom(0, 8, 16))
    .map(([to, from, by]) => `(local.set ${to} (i32.add (local.get ${from}) (i32.const ${by})))`),
);
/** Differs from round to round and from place to place. */
const condition = fc
  .nat(7)
  .map(
    (bit) =>
      `(i32.and (i32.shr_u (i32.add (local.get $round) (i32.const ${bit})) (i32.const ${bit % 3})) (i32.const 1))`,
  );

const { body } = fc.letrec<{ body: string; statement: string }>((tie) => ({
  body: fc.array(tie('statement'), { minLength: 1, maxLength: 6 }).map((statements) => statements.join('\n')),
  statement: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 5, arbitrary: store },
    { weight: 3, arbitrary: look },
    { weight: 3, arbitrary: move },
    { weight: 2, arbitrary: tie('body').map((inner) => `(block ${inner})`) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(tie('body'), condition, tie('body'))
        .map(([first, leaves, second]) => `(block ${first} (br_if 0 ${leaves}) ${second})`),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(condition, tie('body'), tie('body'))
        .map(([holds, then, otherwise]) => `(if ${holds} (then ${then}) (else ${otherwise}))`),
    },
    {
      weight: 2,
      // All loops together go round a bounded number of times.
      arbitrary: tie('body').map(
        (inner) => `(loop ${inner} (local.set $round (i32.add (local.get $round) (i32.const 1)))
          (br_if 0 (i32.lt_u (i32.rem_u (local.get $round) (i32.const 16)) (i32.const ${ROUNDS}))))`,
      ),
    },
  ),
}));

function programText(statements: string): string {
  return `(module (memory 1) (func (export "_start"))
    (func (export "run") (param $inf f64) (param $zero f64) (result i64)
      (local $p i32) (local $q i32) (local $r i32) (local $round i32) (local $seen i64) (local $at i32)
      (local.set $q (i32.const 8)) (local.set $r (i32.const 64))
      (loop $all
        ${statements}
        ${POINTERS.map((name) => `(local.set ${name} (i32.and (local.get ${name}) (i32.const ${ADDRESS_MASK})))`).join(' ')}
        (br_if $all (i32.lt_u (local.tee $round (i32.add (local.get $round) (i32.const 1))) (i32.const 40))))
      (loop $fold
        (local.set $seen (i64.add (i64.rotl (local.get $seen) (i64.const 5)) (i64.load (local.get $at))))
        (br_if $fold (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 4))) (i32.const 4096))))
      (local.get $seen)))`;
}

/** What the program answers on an engine that chooses NaN bits by the seed; null: on one that makes them canonical. */
function answer(statements: string, seed: number | null, options: AdmissionOptions = {}): unknown {
  const admission = admitModule(bytesOfText(programText(statements)), options);
  if (!admission.admitted) throw new Error(admission.errors.map(({ message }) => message).join(' '));
  const { exports } = new WebAssembly.Instance(
    new WebAssembly.Module(onHostileEngine(admission.module, seed) as BufferSource),
  );
  return (exports['run'] as (inf: number, zero: number) => unknown)(Infinity, 0);
}

describe('stores through pointers that blocks, arms and loops move', () => {
  it('never show an engine’s bits to a load, and destroy nothing', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(body, fc.nat(1_000_000), (statements, seed) => {
        const reference = answer(statements, null, { nan: false });
        expect(answer(statements, seed)).toBe(reference);
      }),
      { numRuns: 300 },
    );
  });
});
