import { describe, expect, it } from 'vitest';
import { onHostileEngine } from '../testing/hostile-engine.js';
import { bytesOfText } from '../testing/text-module.js';
import { type AdmissionOptions, admitModule } from './index.js';

/** Addresses of NaNs with payloads of their own, as lanes of f32 and of f64, and of a place to write to. */
const NANS_F32 = '(v128.load (i32.const 0))';
const NANS_F64 = '(v128.load (i32.const 16))';
const PLACE = '(i32.const 64)';
const DATA = `(data (i32.const 0) "${String.raw`\45\23\e1\ff\01\00\e0\ff\02\00\ef\ff\99\99\f9\ff`}")
  (data (i32.const 16) "${String.raw`\01\00\a0\00\dd\ba\fc\ff\ef\be\ad\de\00\00\fb\ff`}")`;

const ARITHMETIC_F32 = `(f32x4.mul ${NANS_F32} (v128.const f32x4 1 2 3 4))`;
const ARITHMETIC_F64 = `(f64x2.mul ${NANS_F64} (v128.const f64x2 1 2))`;
const CANONICAL_F32 = '(v128.const f32x4 nan nan nan nan)';
const CANONICAL_F64 = '(v128.const f64x2 nan nan)';

function rewritten(fields: string, options: AdmissionOptions): Uint8Array {
  const admission = admitModule(
    bytesOfText(`(module (memory 1) ${DATA} (global $g (mut v128) (v128.const i64x2 0 0))
      (func $same (param v128) (result v128) (local.get 0))
      (func $given (param $p i32) (param $v v128) (result v128) (if (local.get $p) (then (return (local.get $v)))) (local.get $v))
      (func (export "_start")) ${fields})`),
    options,
  );
  if (!admission.admitted) throw new Error(admission.errors[0]?.message);
  return admission.module;
}

/**
 * Runs a body with vector locals $v and $w; `round` is 1. The bits of its i64 result as hexadecimal digits, which must
 * not depend on the bits that an engine chooses.
 */
function seen(body: string): string {
  const [first, ...others] = new Set([0, 1, 2].map((seed) => seenOn(seed, body)));
  expect(others, 'another result on another engine').toEqual([]);
  return first ?? '';
}

/** The same on an engine that chooses its NaNs by a seed, or on this one. */
function seenOn(seed: number | null, body: string, options: AdmissionOptions = {}): string {
  const module = rewritten(
    `(func (export "run") (param $round i32) (result i64) (local $v v128) (local $w v128) (local $f f32) ${body})`,
    options,
  );
  const bytes = seed === null ? module : onHostileEngine(module, seed);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes as BufferSource));
  const bits = (exports['run'] as (round: number) => bigint)(1);
  return BigInt.asUintN(64, bits).toString(16).padStart(16, '0');
}

const low = (vector: string) => `(i64x2.extract_lane 0 ${vector})`;
const wide = (i32: string) => `(i64.extend_i32_u ${i32})`;
const V = '(local.get $v)';
const bytes = (first: number) => Array.from({ length: 16 }, (_, i) => (i + first) % 32).join(' ');

/** Ways to see the bits of $v, in either shape. */
const OBSERVERS: Readonly<Record<string, string>> = {
  'i64x2.extract_lane': low(V),
  'i8x16.extract_lane': wide(`(i8x16.extract_lane_u 2 ${V})`),
  'v128.store': `(v128.store ${PLACE} ${V}) (i64.load ${PLACE})`,
  'v128.store8_lane': `(v128.store8_lane 2 ${PLACE} ${V}) (i64.load ${PLACE})`,
  'v128.store16_lane': `(v128.store16_lane 3 ${PLACE} ${V}) (i64.load ${PLACE})`,
  'v128.store32_lane': `(v128.store32_lane 1 ${PLACE} ${V}) (i64.load ${PLACE})`,
  'v128.store64_lane': `(v128.store64_lane 1 ${PLACE} ${V}) (i64.load ${PLACE})`,
  'v128.not': low(`(v128.not ${V})`),
  'v128.and': low(`(v128.and ${V} (v128.const i64x2 -1 -1))`),
  'v128.andnot': low(`(v128.andnot ${V} (v128.const i64x2 1 1))`),
  'v128.or': low(`(v128.or (v128.const i64x2 1 1) ${V})`),
  'v128.xor': low(`(v128.xor ${V} (v128.const i64x2 5 5))`),
  'v128.bitselect as a value': low(`(v128.bitselect ${V} (v128.const i64x2 1 1) (v128.const i64x2 -1 -1))`),
  'v128.bitselect as the mask': low(`(v128.bitselect (v128.const i64x2 -1 -1) (v128.const i64x2 0 0) ${V})`),
  'i32x4.add': low(`(i32x4.add ${V} (v128.const i32x4 1 1 1 1))`),
  'i16x8.eq': low(`(i16x8.eq ${V} (v128.const i32x4 0x7fc00000 0x7fc00000 0 0x7ff80000))`),
  'i64x2.shl': low(`(i64x2.shl ${V} (i32.const 1))`),
  'i32x4.bitmask': wide(`(i32x4.bitmask ${V})`),
  'i8x16.bitmask': wide(`(i8x16.bitmask ${V})`),
  'i8x16.all_true': wide(
    `(i8x16.all_true (i8x16.add ${V} (v128.const i8x16 0 0 0x1f 0 0 0 0 0 0 0 0 0 0 0 0 0)))`,
  ),
  'a swizzle': low(`(i8x16.swizzle ${V} (v128.const i8x16 3 2 7 6 1 0 5 4 0 0 0 0 0 0 0 0))`),
  'the lanes of a swizzle': low(`(i8x16.swizzle (v128.const i8x16 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6) ${V})`),
  'a shuffle of bytes': low(`(i8x16.shuffle ${bytes(5)} ${V} ${V})`),
  'i8x16.replace_lane': low(`(i8x16.replace_lane 0 ${V} (i32.const 3))`),
  'v128.load32_lane': low(`(v128.load32_lane 3 (i32.const 0) ${V})`),
  'i32x4.convert': low(`(f32x4.convert_i32x4_s ${V})`),
  'a call': low(`(call $same ${V})`),
  'a result that a branch carries': low(
    `(block (result v128) (br_if 0 ${V} (local.get $round)) (drop) (v128.const i64x2 0 0))`,
  ),
  'a block': low(`(block (result v128) ${V})`),
  'both arms of an if': low(
    `(if (result v128) (local.get $round) (then ${V}) (else (v128.const i64x2 0 0)))`,
  ),
  'a global': `(global.set $g ${V}) ${low('(global.get $g)')}`,
  'a return': low(`(call $given (local.get $round) ${V})`),
};
const OF_F32: Readonly<Record<string, string>> = {
  'arithmetic in the other shape': low(`(f64x2.sub ${V} (v128.const f64x2 1 1))`),
  'a comparison in the other shape': low(`(f64x2.eq ${V} (v128.const i64x2 0x7fc000007fc00000 0))`),
  'a lane in the other shape': `(i64.reinterpret_f64 (f64x2.extract_lane 0 ${V}))`,
  'a lane': wide(`(i32.reinterpret_f32 (f32x4.extract_lane 1 ${V}))`),
  'a lane in a local': `(local.set $f (f32x4.extract_lane 3 ${V})) (f32.store ${PLACE} (local.get $f)) (i64.load ${PLACE})`,
};
const OF_F64: Readonly<Record<string, string>> = {
  'a comparison in the other shape': low(`(f32x4.ne ${V} (v128.const f32x4 0 0 0 0))`),
  'a lane in the other shape': wide(`(i32.reinterpret_f32 (f32x4.extract_lane 1 ${V}))`),
  'a lane': `(i64.reinterpret_f64 (f64x2.extract_lane 1 ${V}))`,
  'whole lanes of the other shape only': low(
    `(i8x16.shuffle 4 5 6 7 0 1 2 3 20 21 22 23 28 29 30 31 ${V} ${V})`,
  ),
};

describe.each([
  ['f32x4', ARITHMETIC_F32, CANONICAL_F32, { ...OBSERVERS, ...OF_F32 }],
  ['f64x2', ARITHMETIC_F64, CANONICAL_F64, { ...OBSERVERS, ...OF_F64 }],
])('NaNs that %s arithmetic leaves in a local', (_, arithmetic, canonical, observers) => {
  it.each(Object.entries(observers))('are canonical to %s', (name, observer) => {
    const canonicalBits = seenOn(null, `(local.set $v ${canonical}) ${observer}`, { nan: false });
    expect(seen(`(local.set $v ${arithmetic}) ${observer}`)).toBe(canonicalBits);
    // The observer would show an engine's choice.
    if (!name.includes('_true'))
      expect(seenOn(1, `(local.set $v ${arithmetic}) ${observer}`, { nan: false })).not.toBe(canonicalBits);
  });
});

describe('NaNs of vector arithmetic are canonical after', () => {
  const CANONICAL = '7fc000007fc00000';

  it.each([
    ['another local', `(local.set $v ${ARITHMETIC_F32}) (local.set $w ${V}) ${low('(local.get $w)')}`],
    ['a tee', low(`(local.tee $v ${ARITHMETIC_F32})`)],
    ['a shuffle', low(`(i8x16.shuffle ${bytes(4)} ${ARITHMETIC_F32} ${ARITHMETIC_F32})`)],
    ['a select', low(`(select ${ARITHMETIC_F32} ${CANONICAL_F32} (local.get $round))`)],
    ['pmin', low(`(f32x4.pmin ${ARITHMETIC_F32} ${ARITHMETIC_F32})`)],
    ['a sign', low(`(f32x4.abs (f32x4.neg ${ARITHMETIC_F32}))`)],
    [
      'a splat of a lane',
      low(`(f32x4.splat (f32.add (f32x4.extract_lane 0 ${ARITHMETIC_F32}) (f32.const 1)))`),
    ],
    [
      'a splat in arithmetic',
      low(`(f32x4.add (f32x4.splat (f32x4.extract_lane 0 ${ARITHMETIC_F32})) (v128.const f32x4 1 1 1 1))`),
    ],
    [
      'a lane put into arithmetic',
      low(`(f32x4.replace_lane 1 ${ARITHMETIC_F32} (f32.mul (f32.load (i32.const 0)) (f32.const 1)))`),
    ],
    [
      'a loop that carries them',
      `(local.set $v (v128.const f32x4 1 2 3 4))
       (loop $again (local.set $v (f32x4.add ${V} ${NANS_F32})) (br_if $again (i32.eqz (local.tee $round (i32.sub (local.get $round) (i32.const 1))))))
       ${low(V)}`,
    ],
    [
      'a loop that sees them a round later',
      `(local.set $v ${CANONICAL_F32})
       (loop $again (v128.store (i32.const 96) ${V}) (local.set $v ${ARITHMETIC_F32})
         (br_if $again (i32.ge_s (local.tee $round (i32.sub (local.get $round) (i32.const 1))) (i32.const 0))))
       (i64.load (i32.const 96))`,
    ],
    [
      'one of two paths',
      `(local.set $v ${NANS_F64}) (if (local.get $round) (then (local.set $v ${ARITHMETIC_F32}))) ${low(V)}`,
    ],
    [
      'a path around a copy',
      `(local.set $v ${ARITHMETIC_F32})
       (block $out (br_if $out (local.get $round)) (local.set $v ${NANS_F64})) ${low(V)}`,
    ],
    [
      'paths of both shapes',
      `(if (local.get $round) (then (local.set $v ${ARITHMETIC_F32})) (else (local.set $v ${ARITHMETIC_F64}))) ${low(V)}`,
    ],
    [
      'a jump out of a table',
      `(block $b (block $a (local.set $v ${ARITHMETIC_F32}) (br_table $b $a (i32.const 0))) (local.set $v ${NANS_F64})) ${low(V)}`,
    ],
    [
      'unreachable code',
      `(block $out (local.set $v ${ARITHMETIC_F32}) (br $out) (local.set $v ${NANS_F64})) ${low(V)}`,
    ],
  ])('%s', (_, body) => {
    expect(seen(body)).toBe(CANONICAL);
  });
});

describe('bits that a vector only copies stay, although beside it', () => {
  const COPIED = 'ffe00001ffe12345';

  it.each([
    ['a shuffle takes a sum', low(`(i8x16.shuffle ${bytes(0)} ${NANS_F32} ${ARITHMETIC_F32})`)],
    ['a select takes a sum', low(`(select ${NANS_F32} ${ARITHMETIC_F32} (local.get $round))`)],
    ['pmax takes a sum', low(`(f32x4.pmax ${NANS_F32} ${ARITHMETIC_F32})`)],
    [
      'another path takes a sum',
      `(local.set $v ${ARITHMETIC_F32}) (if (local.get $round) (then (local.set $v ${NANS_F32}))) ${low(V)}`,
    ],
    [
      'the same local held a sum',
      `(local.set $v ${ARITHMETIC_F32}) (v128.store ${PLACE} ${V}) (local.set $v ${NANS_F32}) ${low(V)}`,
    ],
    [
      'a sum has read them',
      `(local.set $v ${NANS_F32}) (v128.store ${PLACE} (f32x4.add ${V} ${V})) ${low(V)}`,
    ],
    [
      'a lane is a sum',
      low(`(f32x4.replace_lane 3 ${NANS_F32} (f32.add (f32.const 1) (f32.load (i32.const 0))))`),
    ],
    [
      'their lane is taken',
      `(local.set $v ${NANS_F32}) (if (local.get $round) (then (nop)))
       (f32.store ${PLACE} (f32x4.extract_lane 0 ${V})) (f32.store offset=4 ${PLACE} (f32x4.extract_lane 1 ${V})) (i64.load ${PLACE})`,
    ],
    ['their sign is changed', low(`(f32x4.neg (f32x4.neg ${NANS_F32}))`)],
  ])('%s', (_, body) => {
    expect(seen(body)).toBe(COPIED);
  });
});

describe('a run of vector stores', () => {
  const CANONICAL = '7fc000007fc00000';
  const stores = (between: string, read: string) =>
    `(local.set $round (i32.const 64))
     (v128.store (local.get $round) ${V}) ${between}
     (v128.store offset=16 (local.get $round) (f32x4.add (local.get $v) (local.get $v))) ${read}`;
  const withSum = (body: string) => `(local.set $v ${ARITHMETIC_F32}) ${body}`;

  it.each([0, 8, 16, 24])('is canonical at its end, at byte %i', (offset) => {
    expect(seen(withSum(stores('', `(i64.load offset=${offset} (local.get $round))`)))).toBe(CANONICAL);
  });

  it('never shows raw bits to a load in between', () => {
    const load = '(i64.store (i32.const 128) (i64.load (i32.sub (local.get $round) (i32.const -4))))';
    expect(seen(withSum(stores(load, '(i64.load (i32.const 128))')))).toBe(CANONICAL);
  });

  it('does not undo another store over one of its values', () => {
    const over = '(i64.store offset=8 (local.get $round) (i64.const 5))';
    expect(seen(withSum(stores(over, '(i64.load offset=8 (local.get $round))')))).toBe('0000000000000005');
  });

  it('keeps numbers that stand beside a NaN', () => {
    const number =
      '(local.set $v (f32x4.replace_lane 0 (local.get $v) (f32.add (f32.load (i32.const 200)) (f32.const 1))))';
    expect(seen(withSum(number + stores('', '(i64.load (local.get $round))')))).toBe('7fc000003f800000');
  });
});

describe('nothing is added', () => {
  it.each([
    [
      'for a butterfly with shuffled lanes that is only compared',
      `(local.set $v (f32x4.add ${NANS_F32} ${NANS_F64})) (local.set $w (f32x4.sub ${NANS_F32} ${V}))
       (local.set $v (i8x16.shuffle ${bytes(4)} ${V} (local.get $w)))
       (i64.extend_i32_u (f32.gt (f32x4.extract_lane 0 (f32x4.pmax ${V} (local.get $w))) (f32.const 3)))`,
    ],
    [
      'for a largest value that a loop carries',
      `(local.set $v (v128.const f32x4 0 0 0 0))
       (loop $again (local.set $v (f32x4.pmax ${V} (f32x4.mul ${NANS_F32} ${NANS_F32})))
         (br_if $again (i32.eqz (local.get $round))))
       (i64.extend_i32_u (f32.gt (f32x4.extract_lane 0 ${V}) (f32.const 3)))`,
    ],
    ['for a copy', `(local.set $v ${NANS_F32}) (v128.store ${PLACE} ${V}) (i64.const 0)`],
  ])('%s', (_, body) => {
    const field = `(func (export "run") (param $round i32) (result i64) (local $v v128) (local $w v128) ${body})`;
    expect(rewritten(field, {})).toEqual(rewritten(field, { nan: false }));
  });
});

describe('a store of a vector of which arithmetic replaced a lane', () => {
  const replaced = `(f32x4.replace_lane 0 ${ARITHMETIC_F32} (f32.sqrt (f32.convert_i32_s (local.get $round))))`;

  it.each([
    ['at once', `(v128.store ${PLACE} ${replaced})`],
    ['from a local', `(local.set $v ${replaced}) (v128.store ${PLACE} ${V})`],
    ['after other arithmetic', `(v128.store ${PLACE} (f32x4.neg ${replaced}))`],
  ])('makes the other lanes canonical: %s', (_, store) => {
    expect(seen(`${store} (i64.load offset=8 ${PLACE})`)).toBe('7fc000007fc00000');
  });
});
