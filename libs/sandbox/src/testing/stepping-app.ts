import { admittedText } from './units.js';

/**
 * For tests: a stepping app whose every kind of state shows in its output. Each step hashes a pseudo-random walk over
 * its memory into a global, draws randomness, reads the clock and the next byte of /input/a, and writes a line of bytes to
 * stdout and to a file in /output. It ends after as many steps as its input has bytes.
 */
export function steppingApp(walkPerStep: number): Uint8Array {
  return admittedText(`(module
    (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_open"
      (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "gleaner" "progress" (func $progress (param i32)))
    (memory (export "memory") 1)
    (global $hash (mut i64) (i64.const 1))
    (global $scale (mut f64) (f64.const -0))
    (global $in (mut i32) (i32.const 0))
    (global $out (mut i32) (i32.const 0))
    (data (i32.const 0) "input/aoutput/log")
    (func (export "_initialize")
      (drop (memory.grow (i32.const 3)))
      (drop (call $path_open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 7) (i32.const 0)
        (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 64)))
      (global.set $in (i32.load (i32.const 64)))
      (drop (call $path_open (i32.const 3) (i32.const 0) (i32.const 7) (i32.const 10) (i32.const 1)
        (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 64)))
      (global.set $out (i32.load (i32.const 64))))
    (func $write (param $fd i32) (param $at i32) (param $length i32)
      (i32.store (i32.const 80) (local.get $at))
      (i32.store (i32.const 84) (local.get $length))
      (drop (call $fd_write (local.get $fd) (i32.const 80) (i32.const 1) (i32.const 88))))
    (func $walk (param $steps i32)
      (local $at i32)
      (loop $again
        (local.set $at (i32.and (i32.wrap_i64 (i64.shr_u (global.get $hash) (i64.const 20))) (i32.const 0x3fff8)))
        (global.set $hash (i64.add
          (i64.mul (i64.xor (global.get $hash) (i64.load offset=1024 (i32.and (local.get $at) (i32.const 0x2fff8))))
            (i64.const 6364136223846793005))
          (i64.const 1442695040888963407)))
        (i64.store offset=1024 (i32.and (local.get $at) (i32.const 0x2fff8)) (global.get $hash))
        (br_if $again (local.tee $steps (i32.sub (local.get $steps) (i32.const 1))))))
    (func (export "gleaner_step") (result i32)
      (i32.store (i32.const 80) (i32.const 100))
      (i32.store (i32.const 84) (i32.const 1))
      (drop (call $fd_read (global.get $in) (i32.const 80) (i32.const 1) (i32.const 88)))
      (if (i32.eqz (i32.load (i32.const 88))) (then (return (i32.const 0))))
      (drop (call $random_get (i32.const 101) (i32.const 5)))
      (drop (call $clock (i32.const 0) (i64.const 0) (i32.const 112)))
      (call $walk (i32.const ${walkPerStep}))
      (global.set $scale (f64.add (f64.mul (global.get $scale) (f64.const 1.5)) (f64.const 0.1)))
      (i64.store (i32.const 120) (global.get $hash))
      (f64.store (i32.const 128) (global.get $scale))
      (call $write (i32.const 1) (i32.const 100) (i32.const 36))
      (call $write (global.get $out) (i32.const 112) (i32.const 24))
      (call $progress (i32.load8_u (i32.const 100)))
      (i32.const 1)))`);
}
