;; Small cases in the format of the specification's suite: what rewriting must not change.
(module
  (memory (export "memory") 1 3)
  (global $g (mut f64) (f64.const 1))
  (table 3 funcref)
  (elem (i32.const 0) $twice $half)
  (type $unary (func (param i32) (result i32)))
  (func $twice (type $unary) (i32.mul (local.get 0) (i32.const 2)))
  (func $half (type $unary) (i32.div_s (local.get 0) (i32.const 2)))

  (func (export "sum") (param $n i32) (result i32) (local $sum i32)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $n)))
        (local.set $sum (i32.add (local.get $sum) (local.get $n)))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $next)))
    (local.get $sum))

  (func $ackermann (export "ackermann") (param $m i32) (param $n i32) (result i32)
    (if (i32.eqz (local.get $m)) (then (return (i32.add (local.get $n) (i32.const 1)))))
    (if (i32.eqz (local.get $n))
      (then (return (call $ackermann (i32.sub (local.get $m) (i32.const 1)) (i32.const 1)))))
    (call $ackermann
      (i32.sub (local.get $m) (i32.const 1))
      (call $ackermann (local.get $m) (i32.sub (local.get $n) (i32.const 1)))))

  (func $runaway (export "runaway") (param i32) (result i32)
    (i32.add (call $runaway (local.get 0)) (i32.const 1)))

  (func (export "pick") (param i32) (result i32)
    (block $two (block $one (block $zero
      (br_table $zero $one $two (local.get 0)))
      (return (i32.const 100)))
      (return (i32.const 101)))
    (i32.const 102))

  (func (export "apply") (param $index i32) (param $value i32) (result i32)
    (call_indirect (type $unary) (local.get $value) (local.get $index)))

  (func (export "swap") (param i32 i64) (result i64 i32) (local.get 1) (local.get 0))
  (func (export "early") (param i32) (result i64 i32)
    (loop $again (br_if $again (i32.const 0)) (if (local.get 0) (then (return (i64.const 1) (i32.const 2)))))
    (i64.const 3) (i32.const 4))

  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "pages") (result i32) (memory.size))
  (func (export "fill-and-sum") (param $n i32) (result i32) (local $i i32) (local $sum i32)
    (memory.fill (i32.const 0) (i32.const 1) (local.get $n))
    (loop $next
      (local.set $sum (i32.add (local.get $sum) (i32.load8_u (local.get $i))))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (local.get $sum))

  (func (export "divide") (param f64 f64) (result f64) (f64.div (local.get 0) (local.get 1)))
  (func (export "divided-bits") (param f64 f64) (result i64)
    (i64.reinterpret_f64 (f64.div (local.get 0) (local.get 1))))
  (func (export "stored-bits") (param f64 f64) (result i64)
    (f64.store (i32.const 8) (f64.mul (local.get 0) (local.get 1)))
    (f64.store (i32.const 16) (f64.div (local.get 0) (local.get 1)))
    (i64.xor (i64.load (i32.const 8)) (i64.load (i32.const 16))))
  (func (export "global-bits") (param f64) (result i64)
    (global.set $g (f64.sqrt (local.get 0)))
    (i64.reinterpret_f64 (global.get $g)))
  (func (export "copied-bits") (result i32)
    (f32.store (i32.const 0) (f32.const nan:0x200000))
    (f32.store (i32.const 4) (f32.load (i32.const 0)))
    (i32.load (i32.const 4)))
  (func (export "lanes") (param v128 v128) (result i64)
    (i64x2.extract_lane 1 (f64x2.add (local.get 0) (f64x2.div (local.get 1) (local.get 0)))))
  (func (export "vector") (param v128 v128) (result v128) (f32x4.mul (local.get 0) (local.get 1))))

(assert_return (invoke "sum" (i32.const 100)) (i32.const 5050))
(assert_return (invoke "ackermann" (i32.const 2) (i32.const 3)) (i32.const 9))
(assert_exhaustion (invoke "runaway" (i32.const 0)) "call stack exhausted")
(assert_return (invoke "pick" (i32.const 0)) (i32.const 100))
(assert_return (invoke "pick" (i32.const 1)) (i32.const 101))
(assert_return (invoke "pick" (i32.const 9)) (i32.const 102))
(assert_return (invoke "apply" (i32.const 0) (i32.const 21)) (i32.const 42))
(assert_return (invoke "apply" (i32.const 1) (i32.const 21)) (i32.const 10))
(assert_trap (invoke "apply" (i32.const 2) (i32.const 21)) "uninitialized element")
(assert_trap (invoke "apply" (i32.const 3) (i32.const 21)) "undefined element")
(assert_return (invoke "swap" (i32.const 1) (i64.const 2)) (i64.const 2) (i32.const 1))
(assert_return (invoke "early" (i32.const 1)) (i64.const 1) (i32.const 2))
(assert_return (invoke "early" (i32.const 0)) (i64.const 3) (i32.const 4))
(assert_return (invoke "grow" (i32.const 1)) (i32.const 1))
(assert_return (invoke "grow" (i32.const 2)) (i32.const -1))
(assert_return (invoke "grow" (i32.const -1)) (i32.const -1))
(assert_return (invoke "pages") (i32.const 2))
(assert_return (invoke "fill-and-sum" (i32.const 1000)) (i32.const 1000))
(assert_trap (invoke "fill-and-sum" (i32.const 131073)) "out of bounds memory access")
(assert_return (invoke "divide" (f64.const 0) (f64.const 0)) (f64.const nan:canonical))
(assert_return (invoke "divided-bits" (f64.const 0) (f64.const 0)) (i64.const 0x7ff8000000000000))
(assert_return (invoke "divided-bits" (f64.const -1) (f64.const 2)) (i64.const 0xbfe0000000000000))
(assert_return (invoke "stored-bits" (f64.const nan:0x8000000000001) (f64.const -nan)) (i64.const 0))
(assert_return (invoke "global-bits" (f64.const -1)) (i64.const 0x7ff8000000000000))
(assert_return (invoke "copied-bits") (i32.const 0x7fa00000))
(assert_return (invoke "lanes" (v128.const f64x2 0 0) (v128.const f64x2 0 0)) (i64.const 0x7ff8000000000000))
(assert_return
  (invoke "vector" (v128.const f32x4 inf 1 -2 0) (v128.const f32x4 0 3 4 -inf))
  (v128.const f32x4 nan:canonical 3 -8 nan:canonical))

(module
  (global $started (mut i32) (i32.const 0))
  (func $init (global.set $started (i32.const 7)))
  (start $init)
  (func (export "started") (result i32) (global.get $started)))
(assert_return (invoke "started") (i32.const 7))

(module
  (import "spectest" "print_f32" (func $print (param f32)))
  (func (export "print") (call $print (f32.const 1))))
(assert_return (invoke "print"))

(module (import "elsewhere" "f" (func $f)) (func (export "call") (call $f)))
(assert_return (invoke "call"))

(module $owner
  (memory (export "memory") 1)
  (func (export "twice") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2))))
(register "owner" $owner)
(module
  (import "owner" "memory" (memory 1))
  (import "owner" "twice" (func $twice (param i32) (result i32)))
  (data (i32.const 8) "\2a")
  (func (export "eight") (result i32) (call $twice (i32.load8_u (i32.const 8)))))
(assert_return (invoke "eight") (i32.const 84))
(module
  (import "owner" "twice" (func $twice (param i32) (result i32)))
  (table 1 funcref)
  (func (export "grow") (drop (table.grow 0 (ref.null func) (call $twice (i32.const 1))))))
(assert_return (invoke $owner "twice" (i32.const 3)) (i32.const 6))
(assert_return (invoke "grow"))
(assert_return (invoke $owner "twice" (i32.const 3)) (i32.const 6))
(assert_unlinkable (module (import "owner" "twice" (func (param f32)))) "incompatible import type")

(assert_invalid (module (func (result i32) (i64.const 1))) "type mismatch")
(assert_malformed (module binary "\00asm\02\00\00\00") "unknown binary version")
