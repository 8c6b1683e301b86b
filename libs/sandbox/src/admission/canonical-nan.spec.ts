import { describe, expect, it } from 'vitest';
import { bytesOfText } from '../testing/text-module.js';
import { type AdmissionOptions, admitModule } from './index.js';

const CANONICAL_F64 = 0x7ff8_0000_0000_0000n;
const CANONICAL_F32 = 0x7fc0_0000;
/** Infinity minus infinity: on x64 the engine makes a NaN with its sign set. */
const NAN_F64 = '(f64.sub (call $inf64) (call $inf64))';
const NAN_F32 = '(f32.sub (call $inf32) (call $inf32))';

function run(fields: string, options: AdmissionOptions = {}): unknown {
  const bytes = bytesOfText(`(module (memory 1)
    (func $inf64 (result f64) (f64.const inf)) (func $inf32 (result f32) (f32.const inf)) (func $value (param f64) (result f64) (local.get 0))
    (func (export "_start")) ${fields})`);
  const admission = admitModule(bytes, options);
  if (!admission.admitted) throw new Error(admission.errors[0]?.message);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(admission.module as BufferSource));
  const result: unknown = (exports['run'] as () => unknown)();
  return typeof result === 'bigint'
    ? BigInt.asUintN(64, result)
    : typeof result === 'number'
      ? result >>> 0
      : result;
}

describe('the bits of a NaN', () => {
  it.each([
    ['reinterpretation', `(func (export "run") (result i64) (i64.reinterpret_f64 ${NAN_F64}))`],
    [
      'a store',
      `(func (export "run") (result i64) (f64.store (i32.const 8) ${NAN_F64}) (i64.load (i32.const 8)))`,
    ],
    [
      'a global',
      `(global $g (mut f64) (f64.const 0)) (func (export "run") (result i64) (global.set $g ${NAN_F64}) (i64.reinterpret_f64 (global.get $g)))`,
    ],
    [
      'a global that a function without float instructions sets',
      `(global $g (mut f64) (f64.const 0)) (func $nan (result f64) ${NAN_F64}) (func $keep (global.set $g (call $nan)))
       (func (export "run") (result i64) (call $keep) (i64.reinterpret_f64 (global.get $g)))`,
    ],
    [
      'a global that a parameter is kept in',
      `(global $g (mut f64) (f64.const 0)) (func $keep (param f64) (global.set $g (local.get 0)))
       (func (export "run") (result i64) (call $keep ${NAN_F64}) (i64.reinterpret_f64 (global.get $g)))`,
    ],
    [
      'a local and a parameter',
      `(func (export "run") (result i64) (local $x f64) (local.set $x ${NAN_F64}) (i64.reinterpret_f64 (call $value (local.get $x))))`,
    ],
    [
      'copies from local to local',
      `(func (export "run") (result i64) (local $x f64) (local $y f64) (local.set $x ${NAN_F64}) (local.set $y (local.get $x)) (i64.reinterpret_f64 (local.get $y)))`,
    ],
    [
      'a block result',
      `(func (export "run") (result i64) (i64.reinterpret_f64 (block (result f64) ${NAN_F64})))`,
    ],
    ['a splat', `(func (export "run") (result i64) (i64x2.extract_lane 1 (f64x2.splat ${NAN_F64})))`],
    [
      'a lane',
      `(func (export "run") (result i64) (i64x2.extract_lane 0 (f64x2.replace_lane 0 (v128.const i64x2 0 0) ${NAN_F64})))`,
    ],
    [
      'a vector sum',
      `(func (export "run") (result i64) (i64x2.extract_lane 0 (f64x2.sub (f64x2.splat (call $inf64)) (f64x2.splat (call $inf64)))))`,
    ],
    [
      'a vector product of a sum',
      `(func (export "run") (result i64) (v128.store (i32.const 0) (f64x2.mul (f64x2.sub (f64x2.splat (call $inf64)) (f64x2.splat (call $inf64))) (f64x2.splat (call $inf64)))) (i64.load (i32.const 8)))`,
    ],
    [
      'a vector local',
      `(func (export "run") (result i64) (local $v v128) (local.set $v (f64x2.sub (f64x2.splat (call $inf64)) (f64x2.splat (call $inf64)))) (i64x2.extract_lane 0 (local.get $v)))`,
    ],
  ])('are canonical after %s', (_, fields) => {
    expect(run(fields)).toBe(CANONICAL_F64);
  });

  it('are canonical in both halves of lanes that are read in the other shape', () => {
    const sum = '(f32x4.sub (f32x4.splat (call $inf32)) (f32x4.splat (call $inf32)))';
    // As one f64 the two lanes are a NaN with a payload: the comparison must not hide that they are canonical.
    const fields = `(func (export "run") (result i64) (i64x2.extract_lane 0 (v128.and ${sum} (v128.const i64x2 -1 -1))))`;
    expect(run(fields)).toBe((BigInt(CANONICAL_F32) << 32n) | BigInt(CANONICAL_F32));
  });

  it("decide copysign's sign", () => {
    const fields = `(func (export "run") (result i32) (i32.reinterpret_f32 (f32.copysign (f32.const 1) ${NAN_F32})))`;
    expect(run(fields)).toBe(0x3f80_0000);
  });

  it('stay when a value is only copied', () => {
    const fields = `(data (i32.const 0) "\\01\\00\\a0\\ff") (func (export "run") (result i32)
      (f32.store (i32.const 4) (f32.load (i32.const 0))) (i32.load (i32.const 4)))`;
    expect(run(fields)).toBe(0xffa0_0001);
  });

  it('differ without the option, or these tests would prove nothing here', () => {
    if (process.arch !== 'x64') return;
    const fields = `(func (export "run") (result i64) (i64.reinterpret_f64 ${NAN_F64}))`;
    expect(run(fields, { nan: false })).not.toBe(CANONICAL_F64);
  });
});

describe('a run of stores', () => {
  const stores = (
    between: string,
  ) => `(func (export "run") (result i64) (local $p i32) (local $q i32) (local $seen i64)
    (local.set $p (i32.const 16)) (local.set $q (i32.const 20))
    (f64.store (local.get $p) ${NAN_F64.replaceAll('(call $inf64)', '(local.get $inf)')})
    ${between}
    (f64.store offset=8 (local.get $p) (f64.mul (local.get $inf) (f64.const 0)))`;
  const withInfinity = (text: string) =>
    text.replace(
      '(local $seen i64)',
      '(local $seen i64) (local $inf f64) (local.set $inf (f64.load (i32.const 0)))',
    );
  const infinity = '(data (i32.const 0) "\\00\\00\\00\\00\\00\\00\\f0\\7f")';

  it('is canonical at its end', () => {
    expect(
      run(
        `${infinity} ${withInfinity(stores(''))} (i64.and (i64.load (i32.const 16)) (i64.load (i32.const 24))))`,
      ),
    ).toBe(CANONICAL_F64);
    expect(
      run(
        `${infinity} ${withInfinity(stores(''))} (i64.or (i64.load (i32.const 16)) (i64.load (i32.const 24))))`,
      ),
    ).toBe(CANONICAL_F64);
  });

  it.each([
    ['a load from elsewhere', '(local.set $seen (i64.load (local.get $q)))', CANONICAL_F64 >> 32n],
    [
      'a load through the same local that overlaps',
      '(local.set $seen (i64.load offset=4 (local.get $p)))',
      CANONICAL_F64 >> 32n,
    ],
    ['a load that is certainly beside it', '(local.set $seen (i64.load offset=32 (local.get $p)))', 0n],
  ])('never shows raw bits to %s', (_, between, seen) => {
    expect(run(`${infinity} ${withInfinity(stores(between))} (local.get $seen))`)).toBe(seen);
  });

  it('does not undo an integer store over one of its values', () => {
    const over = '(i64.store (local.get $p) (i64.const 5))';
    expect(run(`${infinity} ${withInfinity(stores(over))} (i64.load (i32.const 16)))`)).toBe(5n);
  });

  it('keeps the order of values that go to the same address', () => {
    const again = '(f64.store (local.get $p) (f64.add (local.get $inf) (f64.const 1)))';
    expect(run(`${infinity} ${withInfinity(stores(again))} (i64.load (i32.const 16)))`)).toBe(
      0x7ff0_0000_0000_0000n,
    );
  });
});
