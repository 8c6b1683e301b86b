import { describe, expect, it } from 'vitest';
import { anApp, aSteppingApp, rewritten } from '../testing/app-module.js';
import { binaryModule, codeOf, nameOf, vectorOf } from '../testing/binary-module.js';
import { bytesOfText } from '../testing/text-module.js';
import { admitModule } from './index.js';

function refusal(bytes: Uint8Array) {
  const admission = admitModule(bytes);
  return admission.admitted ? 'admitted' : admission.errors[0];
}

describe('refusing a module', () => {
  it.each([
    ['no bytes', new Uint8Array(0), 'not-a-module', 0],
    ['a component', Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0), 'not-a-module', 4],
    ['a cut section', anApp('').subarray(0, 12), 'unexpected-end', 10],
    ['an unknown section', Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 13, 1, 0), 'unknown-section', 8],
    [
      'a section twice',
      Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 1, 0, 1, 1, 0),
      'repeated-section',
      11,
    ],
  ])('gives rule and offset for %s', (_, bytes, rule, offset) => {
    expect(refusal(bytes)).toMatchObject({ rule, offset });
  });

  it.each([
    ['an atomic instruction', '(func (drop (i32.atomic.load (i32.const 0))))', 'unknown-opcode'],
    [
      'relaxed SIMD',
      '(func (param v128) (drop (i8x16.relaxed_swizzle (local.get 0) (local.get 0))))',
      'unknown-opcode',
    ],
    ['a tail call', '(func $f (return_call $f))', 'unknown-opcode'],
    ['a second memory', '(memory $two 1)', 'multi-memory'],
    ['an imported memory', '(import "gleaner" "m" (memory $m 1))', 'import-kind'],
    ['an unknown host module', '(import "env" "f" (func))', 'import-module'],
    ['an unknown host function', '(import "wasi_snapshot_preview1" "fd_reed" (func))', 'unknown-import'],
    ['a name that every object has', '(import "gleaner" "toString" (func))', 'unknown-import'],
    ['a float in an import', '(import "gleaner" "progress" (func (param f32)))', 'float-import'],
    ['another signature', '(import "gleaner" "progress" (func (param i64)))', 'import-signature'],
    ['a reserved name', '(func (export "__gleaner_cycles"))', 'reserved-name'],
    [
      'table.grow',
      '(table 1 funcref) (elem declare func $f) (func $f (drop (table.grow 0 (ref.func $f) (i32.const 1))))',
      'table-grow',
    ],
    ['a table of a billion entries', '(table 1000000000 funcref)', 'too-large'],
  ])('names the rule for %s', (_, fields, rule) => {
    expect(refusal(anApp(fields))).toMatchObject({ rule });
  });

  it.each([
    ['an atomic instruction', '(func (drop (i32.atomic.load (i32.const 0))))', 'build without -pthread'],
    [
      'relaxed SIMD',
      '(func (param v128) (drop (i8x16.relaxed_swizzle (local.get 0) (local.get 0))))',
      'build without -mrelaxed-simd',
    ],
    ['a tail call', '(func $f (return_call $f))', 'build without -mtail-call'],
    ['an exception', '(tag $t) (func (throw $t))', 'build without -fwasm-exceptions'],
    ['an imported memory', '(import "env" "memory" (memory $m 1))', 'Link without --import-memory.'],
    ['an imported table', '(import "env" "table" (table 1 funcref))', 'Link without --import-table.'],
    [
      "AssemblyScript's defaults",
      '(import "env" "abort" (func (param i32 i32 i32 i32)))',
      'gleaner-build-app',
    ],
    ['a function that nobody defines', '(import "env" "hypot" (func))', 'Link what defines it'],
    ['an older WASI', '(import "wasi_unstable" "fd_write" (func))', 'a WASI SDK for preview 1'],
  ])('tells how to build without %s', (_, fields, advice) => {
    const refused = refusal(anApp(fields));
    if (refused === 'admitted') throw new Error('admitted');
    expect(refused?.message).toContain(advice);
  });

  it.each([
    ['one zero byte', [0], 'admitted'],
    ['a zero that is written longer', [0x80, 0], 'malformed-index'],
    ['another number', [1], 'multi-memory'],
    ['another number that is written longer', [0x81, 0], 'multi-memory'],
  ])('reads the memory index of an instruction: %s', (_, index, verdict) => {
    const bytes = binaryModule(
      ['type', vectorOf([0x60, 0, 0])],
      ['function', vectorOf([0])],
      ['memory', vectorOf([0, 1])],
      ['export', vectorOf([...nameOf('_start'), 0, 0])],
      ['code', codeOf(Uint8Array.of(0x3f, ...index, 0x1a, 0x0b))],
    );
    const expected =
      verdict === 'admitted' ? verdict : { rule: verdict, offset: bytes.length - 2 - index.length };
    const actual = refusal(bytes);
    if (typeof expected === 'string') expect(actual).toBe(expected);
    else expect(actual).toMatchObject(expected);
  });

  it('points at the instruction', () => {
    const bytes = anApp('(func (nop) (drop (i32.atomic.load (i32.const 0))))');
    const error = refusal(bytes);
    if (typeof error !== 'object') throw new Error('admitted');
    expect(bytes[error.offset ?? 0]).toBe(0xfe);
    expect(error.message).toContain('threads and atomics');
  });

  it.each([
    ['no entry point', '(module (memory 1))', 'missing-entry'],
    [
      'both entry points',
      '(module (memory 1) (func (export "_start")) (func (export "gleaner_step") (result i32) (i32.const 0)))',
      'ambiguous-entry',
    ],
    [
      'a float from the entry point',
      '(module (memory 1) (func (export "gleaner_step") (result f32) (f32.const 0)))',
      'entry-signature',
    ],
    ['no memory', '(module (func (export "_start")))', 'missing-memory'],
  ])('names the rule for %s', (_, text, rule) => {
    expect(refusal(bytesOfText(text))).toMatchObject({ rule });
  });

  it.each([
    [
      'table.set',
      '(table 1 funcref) (elem declare func $f) (func $f (table.set 0 (i32.const 0) (ref.func $f)))',
      'stepping-state',
    ],
    ['a dropped data segment', '(data $d "x") (func (data.drop $d))', 'stepping-state'],
    ['a vector global', '(global (mut v128) (v128.const i64x2 0 0))', 'snapshot-global'],
    ['a global that starts as NaN', '(global (mut f64) (f64.const nan))', 'snapshot-global'],
  ])('refuses in a stepping app alone: %s', (_, fields, rule) => {
    expect(refusal(aSteppingApp(fields))).toMatchObject({ rule });
    expect(refusal(anApp(fields))).toBe('admitted');
  });

  it('quotes the engine, with its offset, for a module that is not valid', () => {
    const bytes = anApp('(func (result i32) (i32.const 7))');
    const body = bytes.lastIndexOf(0x41);
    expect(refusal(bytes.with(body, 0x42))).toMatchObject({
      rule: 'invalid-module',
      offset: expect.any(Number) as number,
    });
  });

  it('stays linear when few bytes declare many locals', () => {
    expect(refusal(anApp(`(func (local ${'i64 '.repeat(30_000)}))`))).toMatchObject({ rule: 'too-large' });
  });
});

describe('the report', () => {
  it('tells sizes, imports, features and the static stack', () => {
    const bytes = anApp(`(import "gleaner" "progress" (func $p (param i32)))
      (func $leaf (param v128)) (func (call $leaf (v128.const i64x2 0 0)) (call $p (i32.const 1)))
      (func (memory.fill (i32.const 0) (i32.const 0) (i32.const 0)))`);
    const { report, module } = rewritten(bytes);
    expect(report).toMatchObject({
      originalBytes: bytes.length,
      rewrittenBytes: module.length,
      stepping: false,
      imports: ['gleaner.progress'],
      features: ['bulk-memory', 'simd'],
      functions: 4,
      memoryPages: { initial: 1 },
    });
    expect(report.staticStackBytes).toBeGreaterThan(0);
    expect(report.warnings.join(' ')).toContain('gleaner_step');
  });

  it('takes frames with vectors for larger, wherever the vectors come from', () => {
    const stackOf = (type: string, constant: string) =>
      rewritten(
        anApp(`(global $g ${type} (${constant})) (func $take (param ${type} ${type} ${type} ${type}))
          (func (call $take (global.get $g) (global.get $g) (global.get $g) (global.get $g)))`),
      ).report.staticStackBytes ?? 0;
    // Four operands and four parameters.
    expect(stackOf('v128', 'v128.const i64x2 0 0') - stackOf('i64', 'i64.const 0')).toBe(64);
  });

  it('has no static stack bound where calls can recurse, directly or through a table', () => {
    expect(rewritten(anApp('(func $f (call $f))')).report.staticStackBytes).toBeNull();
    const indirect =
      '(table 1 funcref) (elem (i32.const 0) $f) (type $t (func)) (func $f (call_indirect (type $t) (i32.const 0)))';
    expect(rewritten(anApp(indirect)).report.staticStackBytes).toBeNull();
  });
});
