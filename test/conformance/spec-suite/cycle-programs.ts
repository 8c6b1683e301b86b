/**
 * Small programs in the text format, whose cycles are compared with an independent count. Each exports `run` without
 * parameters. A `br` that would be the last instruction of an `if` arm is followed by `unreachable`, and a function with a local has
 * a result: see trace-count.ts.
 */
export const CYCLE_PROGRAMS: Readonly<Record<string, string>> = {
  'straight line': `(func (export "run") (result i32) (i32.add (i32.const 1) (i32.mul (i32.const 2) (i32.const 3))))`,
  'nop and blocks are free': `(func (export "run") nop (block nop (block nop)) (drop (i32.const 1)) (block (drop (i32.const 2))))`,
  'do-while loop': `(func (export "run") (result i32) (local $n i32) (local $sum i32)
    (local.set $n (i32.const 10))
    (loop $next
      (local.set $sum (i32.add (local.get $sum) (local.get $n)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))`,
  'while loop that jumps back': `(func (export "run") (result i32) (local $n i32)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $n) (i32.const 7)))
        (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (br $next)))
    (local.get $n))`,
  'loop that is never repeated': `(func (export "run") (loop (drop (i32.const 1)) (loop (drop (i32.const 2)))) (drop (i32.const 3)))`,
  'if without else, taken and not': `(func $f (param i32) (result i32)
      (if (local.get 0) (then (local.set 0 (i32.const 5)) (drop (i32.const 1)))) (local.get 0))
    (func (export "run") (result i32) (i32.add (call $f (i32.const 0)) (call $f (i32.const 1))))`,
  'if with else of unequal arms': `(func $f (param i32) (result i32)
      (if (result i32) (local.get 0) (then (i32.const 5)) (else (i32.add (i32.const 1) (i32.const 2)))))
    (func (export "run") (result i32) (i32.add (call $f (i32.const 0)) (call $f (i32.const 1))))`,
  'escape from nested blocks': `(func $f (param i32) (result i32) (local $r i32)
      (block $outer
        (local.set $r (i32.const 1))
        (block $inner
          (br_if $outer (i32.eq (local.get 0) (i32.const 1)))
          (local.set $r (i32.const 2))
          (br_if $inner (i32.eq (local.get 0) (i32.const 2)))
          (local.set $r (i32.const 3)))
        (local.set $r (i32.add (local.get $r) (i32.const 10))))
      (local.get $r))
    (func (export "run") (result i32)
      (i32.add (i32.add (call $f (i32.const 1)) (call $f (i32.const 2))) (call $f (i32.const 3))))`,
  'block that one arm leaves by a jump and the other by its end': `(func $f (param i32) (result i32) (local $r i32)
      (block $outer
        (block $inner
          (br_if $outer (i32.eqz (local.get 0)))
          (if (i32.eq (local.get 0) (i32.const 1))
            (then (local.set $r (i32.const 1)) (br $inner) (unreachable)))
          (local.set $r (i32.const 2)))
        (local.set $r (i32.add (local.get $r) (i32.const 10))))
      (local.get $r))
    (func (export "run") (result i32)
      (i32.add (i32.add (call $f (i32.const 0)) (call $f (i32.const 1))) (call $f (i32.const 2))))`,
  'block that is left by a table and by a jump': `(func $f (param i32) (result i32) (local $r i32)
      (block $outer
        (block $out
          (block $in (br_table $in $out $in (local.get 0)) (unreachable))
          (local.set $r (i32.const 1))
          (br_if $outer (i32.eq (local.get 0) (i32.const 2)))
          (local.set $r (i32.const 2))
          (br $out)
          (unreachable))
        (local.set $r (i32.add (local.get $r) (i32.const 10))))
      (local.get $r))
    (func (export "run") (result i32)
      (i32.add (i32.add (call $f (i32.const 0)) (call $f (i32.const 1))) (call $f (i32.const 2))))`,
  'early return': `(func $f (param i32) (result i32)
      (if (i32.lt_s (local.get 0) (i32.const 3)) (then (return (i32.const 100)) (unreachable)))
      (i32.mul (local.get 0) (local.get 0)))
    (func (export "run") (result i32) (i32.add (call $f (i32.const 2)) (call $f (i32.const 9))))`,
  switch: `(func $f (param i32) (result i32)
      (block $two (block $one (block $zero (br_table $zero $one $two (local.get 0)) (unreachable))
        (return (i32.const 10)) (unreachable))
        (return (i32.add (i32.const 10) (i32.const 1))) (unreachable))
      (i32.const 12))
    (func (export "run") (result i32) (local $i i32) (local $sum i32)
      (loop $next
        (local.set $sum (i32.add (local.get $sum) (call $f (local.get $i))))
        (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 6))))
      (local.get $sum))`,
  'interpreter with a common tail': `(memory 1) (data (i32.const 0) "\\00\\01\\00\\02\\01\\03")
    (func (export "run") (result i32) (local $pc i32) (local $op i32) (local $acc i32)
      (block $halt
        (loop $next
          (local.set $op (i32.load8_u (local.get $pc)))
          (block $tail
            (block $three (block $two (block $one (block $zero
              (br_table $zero $one $two $three $halt (local.get $op)) (unreachable))
              (local.set $acc (i32.add (local.get $acc) (i32.const 1)))
              (br $tail) (unreachable))
              (local.set $acc (i32.mul (local.get $acc) (i32.const 3)))
              (br $tail) (unreachable))
              (local.set $acc (i32.sub (local.get $acc) (i32.const 2)))
              (local.set $pc (i32.add (local.get $pc) (i32.const 1)))
              (br $next) (unreachable))
            (br $halt) (unreachable))
          (local.set $pc (i32.add (local.get $pc) (i32.const 1)))
          (br $next)))
      (local.get $acc))`,
  'continue in a loop': `(func (export "run") (result i32) (local $i i32) (local $sum i32)
      (loop $next
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $next (i32.and (local.get $i) (i32.const 1)))
        (local.set $sum (i32.add (local.get $sum) (local.get $i)))
        (br_if $next (i32.lt_u (local.get $i) (i32.const 11))))
      (local.get $sum))`,
  'nested loops with a break': `(func (export "run") (result i32) (local $i i32) (local $j i32) (local $n i32)
      (loop $rows
        (local.set $j (i32.const 0))
        (block $break
          (loop $columns
            (br_if $break (i32.gt_u (local.get $j) (local.get $i)))
            (local.set $n (i32.add (local.get $n) (i32.const 1)))
            (br_if $columns (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 1))) (i32.const 4)))))
        (br_if $rows (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 5))))
      (local.get $n))`,
  'recursive fib': `(func $fib (param i32) (result i32)
      (if (i32.lt_s (local.get 0) (i32.const 2)) (then (return (local.get 0)) (unreachable)))
      (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2)))))
    (func (export "run") (result i32) (call $fib (i32.const 9)))`,
  'mutual recursion': `(func $even (param i32) (result i32)
      (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 1)) (else (call $odd (i32.sub (local.get 0) (i32.const 1))))))
    (func $odd (param i32) (result i32)
      (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 0)) (else (call $even (i32.sub (local.get 0) (i32.const 1))))))
    (func (export "run") (result i32) (call $even (i32.const 7)))`,
  'call in a loop': `(func $step (param i32) (result i32)
      (select (i32.shr_u (local.get 0) (i32.const 1)) (i32.add (i32.mul (local.get 0) (i32.const 3)) (i32.const 1))
        (i32.eqz (i32.and (local.get 0) (i32.const 1)))))
    (func (export "run") (result i32) (local $n i32) (local $steps i32)
      (local.set $n (i32.const 27))
      (loop $next
        (local.set $n (call $step (local.get $n)))
        (local.set $steps (i32.add (local.get $steps) (i32.const 1)))
        (br_if $next (i32.ne (local.get $n) (i32.const 1))))
      (local.get $steps))`,
  'indirect calls': `(type $unary (func (param i32) (result i32))) (table 2 funcref) (elem (i32.const 0) $inc $double)
    (func $inc (type $unary) (i32.add (local.get 0) (i32.const 1)))
    (func $double (type $unary) (i32.shl (local.get 0) (i32.const 1)))
    (func (export "run") (result i32)
      (call_indirect (type $unary) (call_indirect (type $unary) (i32.const 20) (i32.const 0)) (i32.const 1)))`,
  'branch with a value': `(func (export "run") (result i32)
      (block $b (result i32)
        (drop (br_if $b (i32.const 1) (i32.const 0)))
        (drop (br_if $b (i32.const 2) (i32.const 1)))
        (i32.const 3)))`,
  'code that is not reached': `(func (export "run") (result i32)
      (block $b (result i32) (br $b (i32.const 1)) (drop (i32.const 2)) (block (drop (i32.const 3))) (i32.const 4)))`,
  'memory and globals': `(memory 1) (global $g (mut i32) (i32.const 3))
    (func (export "run") (result i32) (local $i i32)
      (loop $next
        (i32.store (i32.shl (local.get $i) (i32.const 2)) (global.get $g))
        (global.set $g (i32.add (global.get $g) (i32.load (i32.shl (local.get $i) (i32.const 2)))))
        (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 9))))
      (drop (memory.grow (i32.const 1)))
      (i32.add (global.get $g) (memory.size)))`,
  'bulk memory by length': `(memory 1) (data $d "0123456789abcdefghij")
    (func (export "run") (result i32) (local $n i32)
      (loop $next
        (memory.fill (i32.const 0) (i32.const 7) (local.get $n))
        (memory.copy (i32.const 100) (i32.const 0) (local.get $n))
        (br_if $next (i32.le_u (local.tee $n (i32.add (local.get $n) (i32.const 5))) (i32.const 40))))
      (memory.init $d (i32.const 0) (i32.const 1) (i32.const 17))
      (data.drop $d)
      (local.get $n))`,
  'tables by elements': `(table $t 10 funcref) (elem $e func $f $f $f) (func $f)
    (func (export "run")
      (table.init $t $e (i32.const 0) (i32.const 0) (i32.const 3))
      (table.copy $t $t (i32.const 4) (i32.const 0) (i32.const 3))
      (elem.drop $e)
      (call_indirect $t (i32.const 5)))`,
  'floating point with stores': `(memory 1)
    (func (export "run") (result f64) (local $x f64) (local $i i32)
      (local.set $x (f64.const 2))
      (loop $next
        (local.set $x (f64.add (f64.mul (local.get $x) (f64.const 0.5)) (f64.div (f64.const 1) (local.get $x))))
        (f64.store (i32.const 0) (local.get $x))
        (f64.store (i32.const 8) (f64.sqrt (local.get $x)))
        (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 5))))
      (local.get $x))`,
  vectors: `(memory 1)
    (func (export "run") (result i32) (local $v v128)
      (local.set $v (f32x4.add (f32x4.splat (f32.const 1.5)) (v128.const f32x4 1 2 3 4)))
      (v128.store (i32.const 0) (f32x4.mul (local.get $v) (local.get $v)))
      (i32x4.extract_lane 2 (v128.load (i32.const 0))))`,
  'results of two': `(func $pair (param i32) (result i32 i64) (local.get 0) (i64.extend_i32_s (local.get 0)))
    (func (export "run") (result i64) (local $n i64)
      (call $pair (i32.const 4)) (local.set $n) (drop)
      (i64.add (local.get $n) (i64.const 1)))`,
};
