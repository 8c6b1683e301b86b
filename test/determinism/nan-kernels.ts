/**
 * Programs that make NaNs by every kind of operation and let their bits be seen, as WebAssembly text. Engines and tiers
 * choose those bits differently; rewritten modules must not show it.
 */

/** Expressions of an f64 that is (mostly) NaN, from the floats $a and $b, which are never constants to the compiler. */
const F64_SOURCES = [
  '(f64.div (local.get $zero) (local.get $zero))',
  '(f64.sub (local.get $inf) (local.get $inf))',
  '(f64.mul (local.get $zero) (local.get $inf))',
  '(f64.sqrt (f64.neg (local.get $a)))',
  '(f64.add (local.get $nan) (local.get $a))',
  '(f64.add (local.get $a) (local.get $nan))',
  '(f64.mul (local.get $nan) (local.get $otherNan))',
  '(f64.sub (local.get $otherNan) (local.get $nan))',
  '(f64.min (local.get $nan) (local.get $a))',
  '(f64.max (local.get $a) (local.get $otherNan))',
  '(f64.ceil (local.get $nan))',
  '(f64.nearest (local.get $otherNan))',
  '(f64.promote_f32 (f32.demote_f64 (local.get $nan)))',
  '(f64.neg (f64.div (local.get $zero) (local.get $zero)))',
  '(f64.abs (f64.sub (local.get $inf) (local.get $inf)))',
  '(f64.copysign (local.get $a) (f64.div (local.get $zero) (local.get $zero)))',
  '(f64.copysign (f64.sqrt (f64.neg (local.get $a))) (local.get $a))',
  '(select (f64.div (local.get $zero) (local.get $zero)) (local.get $a) (i32.and (local.get $i) (i32.const 1)))',
];

const F32_SOURCES = [
  '(f32.div (local.get $zero32) (local.get $zero32))',
  '(f32.sub (local.get $inf32) (local.get $inf32))',
  '(f32.sqrt (f32.demote_f64 (f64.neg (local.get $a))))',
  '(f32.demote_f64 (local.get $nan))',
  '(f32.mul (f32.reinterpret_i32 (i32.const 0x7fa00001)) (local.get $inf32))',
  '(f32.trunc (f32.reinterpret_i32 (i32.const 0xffa12345)))',
  '(f32.min (f32.demote_f64 (local.get $otherNan)) (local.get $zero32))',
  '(f32.copysign (local.get $inf32) (f32.sub (local.get $inf32) (local.get $inf32)))',
];

const V128_SOURCES = [
  '(f64x2.div (f64x2.splat (local.get $zero)) (f64x2.splat (local.get $zero)))',
  '(f64x2.add (f64x2.splat (local.get $nan)) (f64x2.splat (local.get $a)))',
  '(f64x2.sqrt (f64x2.neg (f64x2.splat (local.get $a))))',
  '(f32x4.sub (f32x4.splat (local.get $inf32)) (f32x4.splat (local.get $inf32)))',
  '(f32x4.min (f32x4.splat (f32.demote_f64 (local.get $nan))) (f32x4.splat (local.get $zero32)))',
  '(f32x4.demote_f64x2_zero (f64x2.splat (local.get $otherNan)))',
  '(f64x2.promote_low_f32x4 (f32x4.splat (f32.div (local.get $zero32) (local.get $zero32))))',
];

const LOCALS = `(local $i i32) (local $at i32) (local $a f64) (local $zero f64) (local $inf f64) (local $nan f64)
  (local $otherNan f64) (local $zero32 f32) (local $inf32 f32) (local $v v128) (local $w v128)`;
const ROUNDS = 2000;
export const RESULT_BYTES = 4096;

/** Values from memory, so that no compiler knows them; the bits seen are folded into the result area. */
function kernel(body: string, rest = ''): string {
  return `(module
    (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "\\00\\20\\00\\00\\00\\10\\00\\00")
    (data (i32.const 16) "\\00\\00\\00\\00\\00\\00\\f0\\7f\\01\\00\\00\\00\\dd\\ba\\f4\\7f\\ef\\be\\ad\\de\\00\\00\\fc\\ff\\00\\00\\80\\7f")
    ${rest}
    (func $see (param $at i32) (param $bits i64)
      (local.set $at (i32.add (i32.const 8192) (i32.and (i32.shl (local.get $at) (i32.const 3)) (i32.const 4088))))
      (i64.store (local.get $at)
        (i64.add (i64.rotl (i64.load (local.get $at)) (i64.const 7)) (local.get $bits))))
    (func $round (param $i i32) ${LOCALS.replace('(local $i i32) ', '')}
      (local.set $a (f64.add (f64.convert_i32_u (local.get $i)) (f64.const 0.5)))
      (local.set $zero (f64.load (i32.const 48)))
      (local.set $zero32 (f32.load (i32.const 56)))
      (local.set $inf (f64.load (i32.const 16)))
      (local.set $nan (f64.load (i32.const 24)))
      (local.set $otherNan (f64.load (i32.const 32)))
      (local.set $inf32 (f32.load (i32.const 40)))
      ${body})
    (func (export "_start") (local $i i32)
      (loop $again
        (call $round (local.get $i))
        (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const ${ROUNDS}))))
      (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))`;
}

const see = (index: number, bits: string) => `(call $see (i32.const ${index}) ${bits})`;

/** Kernels by the way in which they look at the bits; each writes 4 KiB to stdout. */
export const NAN_KERNELS: Readonly<Record<string, string>> = {
  reinterpret: kernel(
    [
      ...F64_SOURCES.map((source, i) => see(i, `(i64.reinterpret_f64 ${source})`)),
      ...F32_SOURCES.map((source, i) => see(100 + i, `(i64.extend_i32_u (i32.reinterpret_f32 ${source}))`)),
    ].join('\n'),
  ),
  store: kernel(
    [
      ...F64_SOURCES.map(
        (source, i) => `(f64.store (i32.const 1024) ${source}) ${see(i, '(i64.load (i32.const 1024))')}`,
      ),
      ...F32_SOURCES.map(
        (source, i) =>
          `(f32.store (i32.const 1024) ${source}) ${see(100 + i, '(i64.load32_u (i32.const 1024))')}`,
      ),
    ].join('\n'),
  ),
  vector: kernel(
    V128_SOURCES.map(
      (source, i) =>
        `(v128.store (i32.const 1024) ${source})
         ${see(2 * i, '(i64.load (i32.const 1024))')} ${see(2 * i + 1, '(i64.load (i32.const 1032))')}
         ${see(50 + i, `(i64x2.extract_lane 1 ${source})`)}
         ${see(70 + i, `(i64.extend_i32_u (i32x4.bitmask ${source}))`)}`,
    ).join('\n'),
  ),
  sign: kernel(
    F64_SOURCES.map((source, i) =>
      see(i, `(i64.reinterpret_f64 (f64.copysign (local.get $a) ${source}))`),
    ).join('\n'),
  ),
  flow: kernel(
    F64_SOURCES.map(
      (source, i) =>
        `(global.set $kept ${source})
         ${see(i, '(i64.reinterpret_f64 (call $same (global.get $kept)))')}
         ${see(100 + i, `(i64.reinterpret_f64 (call_indirect (type $unary) ${source} (i32.const 0)))`)}
         ${see(200 + i, `(i64.reinterpret_f64 (block (result f64) (br_if 0 ${source} (local.get $i)) (drop) (local.get $nan)))`)}`,
    ).join('\n'),
    `(type $unary (func (param f64) (result f64)))
     (global $kept (mut f64) (f64.const 0))
     (table 1 1 funcref) (elem (i32.const 0) $negated)
     (func $same (param f64) (result f64) (local.get 0))
     (func $negated (param f64) (result f64) (f64.neg (local.get 0)))`,
  ),
  'vector flow': kernel(
    V128_SOURCES.map(
      (source, i) =>
        `(local.set $v ${source}) (local.set $w (f32x4.add (local.get $v) (v128.load (i32.const 24))))
         (if (i32.and (local.get $i) (i32.const 1)) (then (local.set $w (f64x2.mul (local.get $v) (v128.load (i32.const 24))))))
         ${see(2 * i, '(i64x2.extract_lane 0 (local.get $w))')}
         ${see(2 * i + 1, '(i64x2.extract_lane 1 (local.get $v))')}
         (local.set $w (i8x16.shuffle 4 5 6 7 20 21 22 23 0 1 2 3 28 29 30 31 (local.get $v) (f32x4.neg (local.get $w))))
         (v128.store (i32.const 1024) (f32x4.pmax (local.get $w) (f32x4.mul (local.get $w) (local.get $w))))
         (v128.store (i32.const 1040) (f64x2.pmin (local.get $v) (f64x2.sub (local.get $v) (local.get $v))))
         (v128.store (i32.const 1056) (f32x4.sub (local.get $v) (v128.load (i32.const 24))))
         (v128.store (i32.const 1072) (f32x4.sqrt (local.get $w)))
         ${Array.from({ length: 8 }, (_, word) => see(50 + 8 * i + word, `(i64.load (i32.const ${1024 + 8 * word}))`)).join('\n')}
         ${see(120 + i, '(i64.reinterpret_f64 (f64x2.extract_lane 0 (local.get $w)))')}
         (local.set $w (f32x4.add (f32x4.splat (f32x4.extract_lane 1 (local.get $w))) (local.get $v)))
         (f32.store (i32.const 1024) (f32x4.extract_lane 0 (local.get $w))) ${see(130 + i, '(i64.load32_u (i32.const 1024))')}`,
    ).join('\n'),
  ),
};
