import { setFlagsFromString } from 'node:v8';
import { describe, expect, it } from 'vitest';
import { anApp, aSteppingApp, rewritten } from '../testing/app-module.js';
import { binaryModule, codeOf, nameOf, vectorOf } from '../testing/binary-module.js';
import { ABI, STOP } from './index.js';

function instantiate(bytes: Uint8Array) {
  const { exports } = new WebAssembly.Instance(
    new WebAssembly.Module(rewritten(bytes).module as BufferSource),
  );
  const global = (name: string) => exports[name] as WebAssembly.Global;
  const call = (name: string, ...args: unknown[]) =>
    (exports[name] as (...values: unknown[]) => unknown)(...args);
  return { exports, global, call };
}

describe('a rewritten module', () => {
  it('is the same bytes each time', () => {
    const bytes = anApp('(func $f (param f64) (result i64) (i64.reinterpret_f64 (f64.sqrt (local.get 0))))');
    expect(rewritten(bytes).module).toEqual(rewritten(bytes).module);
  });

  it.each([
    ['alone', ''],
    [
      'behind another',
      '(loop $a (br_if $a (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 9))))',
    ],
  ])('stops an endless loop that consists of unconditional jumps, %s', (_where, before) => {
    const { global, call } = instantiate(
      anApp(`(func (export "spin") (local $n i32) ${before} (loop $l (block $b (br $b)) (br $l)))
        (func (export "jump") (local $n i32) ${before} (loop $l (br $l)))`),
    );
    global(ABI.cyclesLeft).value = 1000n;
    expect(() => call('jump')).toThrow(WebAssembly.RuntimeError);
    expect(global(ABI.stop).value).toBe(STOP.cycles);
    global(ABI.stop).value = STOP.none;
    global(ABI.cyclesLeft).value = 1000n;
    expect(() => call('spin')).toThrow(WebAssembly.RuntimeError);
    expect(global(ABI.stop).value).toBe(STOP.cycles);
    expect(global(ABI.cyclesLeft).value).toBeLessThan(0n);
  });

  it('may use its limit up, and not one cycle more', () => {
    const text = '(func $f) (func (export "five") (call $f) (call $f) (call $f) (call $f) (call $f))';
    const { global, call } = instantiate(anApp(text));
    global(ABI.cyclesLeft).value = 5n;
    call('five');
    expect(global(ABI.cyclesLeft).value).toBe(0n);
    global(ABI.cyclesLeft).value = 4n;
    expect(() => call('five')).toThrow(WebAssembly.RuntimeError);
    expect(global(ABI.stop).value).toBe(STOP.cycles);
  });

  it('may use its limit up in a loop, and not one cycle more', () => {
    const text = `(func (export "loop") (local $n i32)
      (loop $next (br_if $next (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 50)))))`;
    const { global, call } = instantiate(anApp(text));
    const leftOf = (limit: bigint) => {
      global(ABI.cyclesLeft).value = limit;
      call('loop');
      return global(ABI.cyclesLeft).value as bigint;
    };
    const cycles = 1000n - leftOf(1000n);
    expect(leftOf(cycles)).toBe(0n);
    global(ABI.cyclesLeft).value = cycles - 1n;
    expect(() => call('loop')).toThrow(WebAssembly.RuntimeError);
    expect(global(ABI.stop).value).toBe(STOP.cycles);
  });

  it('counts calls in a straight line beyond 32 bits', () => {
    const leafCycles = 2 ** 16 - 1;
    const calls = 2 ** 16;
    const leaf = new Uint8Array(leafCycles + 2).fill(0x45); // i32.const 0, i32.eqz …, drop, end
    leaf.set([0x41, 0]);
    leaf.set([0x1a, 0x0b], leaf.length - 2);
    const middle = new Uint8Array(calls * 2 + 1);
    for (let i = 0; i < calls; i++) middle[2 * i] = 0x10;
    middle[calls * 2] = 0x0b;
    const entry = (name: string, index: number) => [...nameOf(name), 0, index];
    const bytes = binaryModule(
      ['type', vectorOf([0x60, 0, 0])],
      ['function', vectorOf([0], [0], [0])],
      ['memory', vectorOf([0, 1])],
      ['export', vectorOf(entry('middle', 1), entry('_start', 2))],
      ['code', codeOf(leaf, middle, Uint8Array.of(0x0b))],
    );
    const { global, call } = instantiate(bytes);
    global(ABI.cyclesLeft).value = 1000n;
    expect(() => call('middle')).toThrow(WebAssembly.RuntimeError);
    expect(global(ABI.stop).value).toBe(STOP.cycles);
    expect(global(ABI.cyclesLeft).value).toBe(1000n - BigInt(calls * (leafCycles + 1)));
  });

  it('stops at an instruction that is too long, in code without loops', () => {
    const fill = '(memory.fill (i32.const 0) (i32.const 1) (i32.const 65536))';
    const { global, call } = instantiate(anApp(`(func (export "fill") ${fill.repeat(3)})`));
    global(ABI.cyclesLeft).value = 12n + 2n * 4096n;
    expect(() => call('fill')).toThrow(WebAssembly.RuntimeError);
    expect(global(ABI.stop).value).toBe(STOP.cycles);
    expect(global(ABI.cyclesLeft).value).toBe(-4096n);
  });

  it.each([
    ['a small leaf is not', 100, 1],
    ['a large leaf is', 11_000, 0],
  ])('checks the limit where functions are entered: %s', (_, instructions, reached) => {
    const { global, call } = instantiate(
      anApp(`(global $n (mut i32) (i32.const 0)) (export "n" (global $n))
        (func $leaf ${'(drop (i32.const 1))'.repeat(instructions / 2)})
        (func (export "go") (if (i32.const 1) (then (call $leaf) (global.set $n (i32.const 1)))) (unreachable))`),
    );
    global(ABI.cyclesLeft).value = 20n;
    expect(() => call('go')).toThrow(WebAssembly.RuntimeError);
    expect(global('n').value).toBe(reached);
  });

  it('ends recursion at the same depth whatever the engine has left', () => {
    const text = `(global $n (mut i32) (i32.const 0)) (export "n" (global $n))
      (func $deep (export "deep") (global.set $n (i32.add (global.get $n) (i32.const 1))) (call $deep))`;
    const depths = [1, 2].map(() => {
      const { global, call } = instantiate(anApp(text));
      expect(() => call('deep')).toThrow(WebAssembly.RuntimeError);
      expect(global(ABI.stop).value).toBe(STOP.stack);
      return Number(global('n').value);
    });
    expect(depths[0]).toBe(depths[1]);
    expect(depths[0]).toBeGreaterThan(1000);
  });

  it('gives the stack back at every exit', () => {
    const text = `(func $f (export "f") (param i32) (result i32)
      (if (i32.eqz (local.get 0)) (then (return (i32.const 1))))
      (block $b (br_if $b (i32.and (local.get 0) (i32.const 1))) (return (call $f (i32.sub (local.get 0) (i32.const 1)))))
      (call $f (i32.sub (local.get 0) (i32.const 1))))`;
    const { global, call } = instantiate(anApp(text));
    const before: unknown = global(ABI.stackLeft).value;
    expect(call('f', 9)).toBe(1);
    expect(global(ABI.stackLeft).value).toBe(before);
  });

  it('has given back at every exit what it took, where only a part of a function calls', () => {
    const text = `(func $f (export "f") (param i32) (result i32)
      (local.set 0 (i32.add (local.get 0) (i32.const 0)))
      (if (i32.gt_s (local.get 0) (i32.const 0)) (then
        (drop (call $f (i32.sub (local.get 0) (i32.const 1))))
        (local.set 0 (i32.const 5))))
      (local.set 0 (i32.add (local.get 0) (i32.const 1)))
      (local.get 0))
      (func $last (export "last") (param i32) (if (local.get 0) (then (call $last (i32.sub (local.get 0) (i32.const 1))))))
      (func (export "twice") (result i32) (i32.add (call $f (i32.const 3)) (call $f (i32.const 0))))`;
    const { global, call } = instantiate(anApp(text));
    const before: unknown = global(ABI.stackLeft).value;
    for (const depth of [0, 1, 9]) {
      expect(call('f', depth)).toBe(depth === 0 ? 1 : 6);
      expect(global(ABI.stackLeft).value).toBe(before);
    }
    call('last', 5);
    expect(global(ABI.stackLeft).value).toBe(before);
    expect(call('twice')).toBe(7);
    expect(global(ABI.stackLeft).value).toBe(before);
  });

  it('refuses memory beyond the page limit with -1', () => {
    const { global, call } = instantiate(
      anApp('(func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))'),
    );
    global(ABI.pageLimit).value = 3;
    expect([call('grow', 2), call('grow', 1), call('grow', 0), call('grow', -1)]).toEqual([1, -1, 3, -1]);
    expect(global(ABI.stop).value).toBe(STOP.none);
  });

  it('stops for the host when the engine refuses below the limit', () => {
    setFlagsFromString('--wasm-max-mem-pages=10');
    try {
      const text = '(func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))';
      const { global, call } = instantiate(anApp(text));
      global(ABI.pageLimit).value = 100;
      expect(() => call('grow', 20)).toThrow(WebAssembly.RuntimeError);
      expect(global(ABI.stop).value).toBe(STOP.hostMemory);
    } finally {
      setFlagsFromString('--wasm-max-mem-pages=65536');
    }
  });

  it('leaves start to the runner and drops custom sections', () => {
    const bytes = anApp(
      '(global $g (mut i32) (i32.const 0)) (export "g" (global $g)) (func $init (global.set $g (i32.const 7))) (start $init)',
    );
    const custom = Uint8Array.of(...bytes, 0, 3, 1, 0x78, 9);
    const { global, call } = instantiate(custom);
    expect(global('g').value).toBe(0);
    call(ABI.start);
    expect(global('g').value).toBe(7);
    expect(
      WebAssembly.Module.customSections(
        new WebAssembly.Module(rewritten(custom).module as BufferSource),
        'x',
      ),
    ).toEqual([]);
  });

  it("exports a stepping app's variable globals in order", () => {
    const { global } = instantiate(
      aSteppingApp(
        '(global i32 (i32.const 1)) (global (mut i32) (i32.const 2)) (global (mut i64) (i64.const 3))',
      ),
    );
    expect([global(`${ABI.globalPrefix}0`).value, global(`${ABI.globalPrefix}1`).value]).toEqual([2, 3n]);
  });

  it('does not charge ahead of a call that may exit', () => {
    const text = `(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (func $leave (call $exit (i32.const 0)))
      (func (export "go") (call $leave) (drop (i32.const 1)) (drop (i32.const 2)))`;
    const { module } = rewritten(anApp(text));
    const instance = new WebAssembly.Instance(new WebAssembly.Module(module as BufferSource), {
      wasi_snapshot_preview1: {
        proc_exit: () => {
          throw new Error('exit');
        },
      },
    });
    const cycles = instance.exports[ABI.cyclesLeft] as WebAssembly.Global<'i64'>;
    cycles.value = 100n;
    expect(() => (instance.exports['go'] as () => void)()).toThrow('exit');
    // call $leave, i32.const, call $exit
    expect(cycles.value).toBe(97n);
  });
});
