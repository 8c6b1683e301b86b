import { createHash } from 'node:crypto';
import binaryen from 'assemblyscript/binaryen';
import { admitModule } from '@gleaner/sandbox/admission';
import type { TinyModule } from './tiny-modules.js';

/**
 * A stepping app that hashes for about as many steps as told, each some 50 ms of a core, telling its progress, and
 * writes the final hash (8 bytes) to stdout: what it computed shows in its output, whenever it was interrupted.
 */
export function steppingModule(steps: number): TinyModule {
  return admitted(`(module
    (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
    (import "gleaner" "progress" (func $progress (param i32)))
    (memory (export "memory") 1)
    (global $hash (mut i64) (i64.const 1))
    (global $step (mut i32) (i32.const 0))
    (func (export "gleaner_step") (result i32)
      (local $left i32)
      (local.set $left (i32.const 25000000))
      (loop $again
        (global.set $hash (i64.add
          (i64.mul (i64.xor (global.get $hash) (i64.shr_u (global.get $hash) (i64.const 29)))
            (i64.const 6364136223846793005))
          (i64.const 1442695040888963407)))
        (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
      (global.set $step (i32.add (global.get $step) (i32.const 1)))
      (call $progress (i32.div_u (i32.mul (global.get $step) (i32.const 1000)) (i32.const ${steps})))
      (if (i32.lt_u (global.get $step) (i32.const ${steps})) (then (return (i32.const 1))))
      (i64.store (i32.const 16) (global.get $hash))
      (i32.store (i32.const 0) (i32.const 16))
      (i32.store (i32.const 4) (i32.const 8))
      (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
      (i32.const 0)))`);
}

function admitted(text: string): TinyModule {
  const module = binaryen.parseText(text);
  const original = module.emitBinary();
  module.dispose();
  const admission = admitModule(original);
  if (!admission.admitted) throw new Error(`not admitted: ${JSON.stringify(admission.errors)}`);
  const bytes = admission.module;
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { original, bytes, sha256, stepping: true };
}
