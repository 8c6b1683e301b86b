import { describe, expect, it } from 'vitest';
import { ABI, STOP } from '../abi.js';
import { bytesOfText } from '../testing/text-module.js';
import { admitModule } from './admit-module.js';
import { VIRTUAL_STACK_BYTES } from './virtual-stack.js';

const AMPLE_CYCLES = 1n << 40n;

function instantiate(fields: string) {
  const admission = admitModule(bytesOfText(`(module ${fields})`), { profile: 'conformance' });
  if (!admission.admitted) throw new Error(admission.errors[0]?.message);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(admission.module as BufferSource));
  const global = (name: string) => exports[name] as WebAssembly.Global;
  const cyclesLeft = global(ABI.cyclesLeft) as WebAssembly.Global<'i64'>;
  /** Calls an export as the runner does; returns its result (null for a trap) and the cycles it used. */
  const call = (name: string, args: readonly number[] = [], cycles = AMPLE_CYCLES) => {
    cyclesLeft.value = cycles;
    global(ABI.stop).value = STOP.none;
    global(ABI.stackLeft).value = VIRTUAL_STACK_BYTES;
    try {
      const result = (exports[name] as (...values: readonly number[]) => unknown)(...args);
      return { result, cycles: cycles - cyclesLeft.value };
    } catch {
      return { result: null, cycles: cycles - cyclesLeft.value };
    }
  };
  return { call, valueOf: (name: string) => global(name).value as number, global };
}

/** A recursion with declared locals, early returns and a call of another function, as the name says and exported as. */
const recursion = (name: string, more: string) => `
  (func $${name} ${more} (param $n i32) (param $x f64) (result i32) (local $a i32) (local $b i64)
    (global.set $depth (i32.add (global.get $depth) (i32.const 1)))
    (if (i32.eqz (local.get $n)) (then (return (i32.const 1))))
    (local.set $b (i64.extend_i32_u (local.get $n)))
    (local.set $a (call $${name} (i32.sub (local.get $n) (i32.const 1)) (local.get $x)))
    (if (i32.and (local.get $n) (i32.const 1))
      (then (local.set $a (i32.add (local.get $a) (call $twice (i32.wrap_i64 (local.get $b)))))))
    (i32.add (local.get $a) (i32.trunc_f64_s (local.get $x))))`;

const BOTH = `
  (global $depth (export "depth") (mut i32) (i32.const 0))
  (func $twice (param $n i32) (result i32) (i32.mul (local.get $n) (i32.const 2)))
  ${recursion('inside', '')}
  ${recursion('outside', '(export "outside")')}
  (func (export "inside") (param i32) (param f64) (result i32) (call $inside (local.get 0) (local.get 1)))`;

/** What the exported function costs on top: two operands and the call. */
const WRAPPER_CYCLES = 3n;

describe('a recursion that carries its meters', () => {
  it.each([0, 1, 2, 17, 500])('gives the result and the count of one that uses the globals: %d deep', (n) => {
    const { call } = instantiate(BOTH);
    const outside = call('outside', [n, 3]);
    expect(outside.result).toBeTypeOf('number');
    expect(call('inside', [n, 3])).toEqual({ ...outside, cycles: outside.cycles + WRAPPER_CYCLES });
  });

  it('stops at the limit of its cycles, all of which it may use', () => {
    const { call, valueOf } = instantiate(BOTH);
    const needed = call('inside', [100, 3]).cycles;
    expect(call('inside', [100, 3], needed).result).not.toBeNull();
    for (const limit of [needed / 2n, 50n, 10n]) {
      expect(call('inside', [100, 3], limit).result).toBeNull();
      expect(valueOf(ABI.stop)).toBe(STOP.cycles);
    }
  });

  it('ends at the same depth of the virtual stack', () => {
    const { call, valueOf, global } = instantiate(BOTH);
    const depthOf = (name: string) => {
      global('depth').value = 0;
      const { result, cycles } = call(name, [1_000_000, 3]);
      expect([result, valueOf(ABI.stop)]).toEqual([null, STOP.stack]);
      expect(cycles).toBeGreaterThan(BigInt(valueOf('depth')));
      return valueOf('depth');
    };
    expect(depthOf('inside')).toBe(depthOf('outside'));
  });

  it('counts in turns with functions that use the globals', () => {
    const between = (name: string, more: string) => `
      (func $even${name} ${more} (param $n i32) (result i32)
        (if (i32.eqz (local.get $n)) (then (return (i32.const 0))))
        (i32.add (i32.const 1) (call_indirect (type $t) (i32.sub (local.get $n) (i32.const 1)) (i32.const ${name}))))
      (func $odd${name} (param $n i32) (result i32)
        (if (i32.eqz (local.get $n)) (then (return (i32.const 0))))
        (i32.add (i32.const 1) (call $even${name} (i32.sub (local.get $n) (i32.const 1)))))`;
    const { call, valueOf } = instantiate(`
      (type $t (func (param i32) (result i32)))
      (table 2 funcref) (elem (i32.const 0) $odd0 $odd1)
      ${between('0', '')}
      ${between('1', '(export "global")')}
      (func (export "carried") (param i32) (result i32) (call $even0 (local.get 0)))
      (func (export "twice") (param i32) (result i32)
        (i32.add (call $even0 (local.get 0)) (call $even0 (local.get 0))))`);
    const deepest = (name: string) => {
      let [low, high] = [0, 100_000];
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        if (call(name, [middle]).result === null) high = middle;
        else low = middle;
      }
      return low;
    };
    expect(call('carried', [1000])).toEqual({ result: 1000, cycles: call('global', [1000]).cycles + 2n });
    expect(deepest('carried')).toBe(deepest('global'));
    // What the first of two calls took of the stack is there again for the second.
    expect(deepest('twice')).toBe(deepest('global'));
    expect(valueOf(ABI.stop)).toBeOneOf([STOP.none, STOP.stack]);
  });

  it('counts what loops call, and what a loop of its own costs', () => {
    const tree = (name: string, more: string) => `
      (func $${name} ${more} (param $n i32) (local $i i32) (local $f f32)
        (local.set $f (f32.convert_i32_s (local.get $n)))
        (local.set $i (local.get $n))
        (block $out (loop $again
          (br_if $out (i32.eqz (local.get $i)))
          (local.set $i (i32.sub (local.get $i) (i32.const 1)))
          (call $${name} (local.get $i))
          (f32.store (i32.const 0) (f32.add (f32.load (i32.const 0)) (local.get $f)))
          (br $again))))`;
    const { call } = instantiate(`(memory 1)
      ${tree('inside', '')} ${tree('outside', '(export "outside")')}
      (func (export "inside") (param i32) (call $inside (local.get 0)))
      (func (export "many") (param $n i32)
        (loop $again
          (call $inside (i32.const 3))
          (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))`);
    const one = call('outside', [8]).cycles;
    expect(call('inside', [8]).cycles).toBe(one + 2n);
    const round = call('outside', [3]).cycles + 7n;
    expect(call('many', [10]).cycles).toBe(10n * round);
  });

  it('has canonical NaN bits in the locals that it declares', () => {
    const { call } = instantiate(`(memory 1)
      (func $inside (param $n i32) (result i32) (local $a f64) (local $v v128)
        (if (i32.eqz (local.get $n)) (then (return (i32.const 0))))
        (local.set $v (f32x4.splat (f32.convert_i32_u (local.get $n))))
        (if (i32.and (local.get $n) (i32.const 1))
          (then (local.set $v (f32x4.sqrt (f32x4.neg (local.get $v))))))
        (i32.xor
          (call $inside (i32.sub (local.get $n) (i32.const 1)))
          (i32x4.extract_lane 3 (local.get $v))))
      (func (export "run") (param i32) (result i32) (call $inside (local.get 0)))`);
    const CANONICAL_NAN = 0x7fc0_0000;
    expect(call('run', [1]).result).toBe(CANONICAL_NAN);
    expect(call('run', [3]).result).toBe(0x4000_0000);
  });
});
