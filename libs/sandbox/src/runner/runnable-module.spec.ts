import { describe, expect, it } from 'vitest';
import { binaryModule, codeOf, nameOf, vectorOf } from '../testing/binary-module.js';
import { bytesOfText } from '../testing/text-module.js';
import { admittedText, aUnit, commandText } from '../testing/units.js';
import { InProcessRunner } from './in-process-runner.js';
import { RunnableModule } from './runnable-module.js';
import type { UnitToRun } from './types.js';

const FIRST_WORD = 0x0a0b0c0d;
/** Exits with 1 unless its memory is as the module says, with 2 unless it has its size; then soils all of it. */
const soiling = (end: string, pages = 2) =>
  commandText(
    `(if (i32.ne (i32.load (i32.const 0)) (i32.const ${FIRST_WORD})) (then (call $exit (i32.const 1))))
     (i32.store (i32.const 0) (i32.const 0))
     (loop $next
       (if (i64.ne (i64.load (local.get $at)) (i64.const 0)) (then (call $exit (i32.const 1))))
       (br_if $next (i32.lt_u
         (local.tee $at (i32.add (local.get $at) (i32.const 8))) (i32.const ${pages * 65_536}))))
     (if (i32.ne (memory.size) (i32.const ${pages})) (then (call $exit (i32.const 2))))
     (memory.fill (i32.const 0) (i32.const 0xff) (i32.const ${pages * 65_536}))
     ${end}`,
    '(data (i32.const 0) "\\0d\\0c\\0b\\0a")',
  )
    .replace('(memory (export "memory") 1)', `(memory (export "memory") ${pages} 300)`)
    .replace('(func (export "_start")', '(func (export "_start") (local $at i32)');

function run(module: Uint8Array, times: number, limits: Partial<UnitToRun['limits']> = {}) {
  const runner = new InProcessRunner(module);
  const unit = aUnit(module, { limits: { maxCycles: 10_000_000n, memoryMiB: 30, ...limits } });
  return Array.from({ length: times }, () => {
    const { outcome, exitCode, trapKind, cycles } = runner.run(unit);
    return { outcome, exitCode, trapKind, cycles };
  });
}

describe('the memory of a unit', () => {
  it.each([
    ['returns', '', 'ok'],
    ['exits', '(call $exit (i32.const 7))', 'exit'],
    ['traps', '(unreachable)', 'trap'],
    ['runs out of cycles', '(loop $on (br $on))', 'cycle-limit'],
    ['calls the host with the last of its memory', hostCall(131_068), 'ok'],
    ['has grown its memory', '(drop (memory.grow (i32.const 1)))', 'ok'],
    ['has grown its memory by nothing', '(drop (memory.grow (i32.const 0)))', 'ok'],
    ['could not grow its memory', '(drop (memory.grow (i32.const 299)))', 'ok'],
  ])('holds nothing of the one before, which %s', (_, end, outcome) => {
    const results = run(admittedText(soiling(end)), 3);
    expect(results[0]).toMatchObject({ outcome });
    expect(results[0]?.exitCode).toBe(outcome === 'exit' ? 7 : 0);
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).toEqual(results[0]);
  });

  it('holds nothing of the one before, of whatever size it is', () => {
    for (const pages of [1, 3, 4, 5, 40]) {
      const results = run(admittedText(soiling('', pages)), 3);
      expect(results.map(({ outcome, exitCode }) => ({ outcome, exitCode }))).toEqual(
        results.map(() => ({ outcome: 'ok', exitCode: 0 })),
      );
      expect(new Set(results.map(({ cycles }) => cycles)).size).toBe(1);
    }
  });

  it('holds nothing of an instance that could not be made', () => {
    // The first segment is written before the second is found to be outside.
    const module = admittedText(
      `(module (memory 1) (data (i32.const 8) "secret") (data (i32.const 65535) "beyond") (func (export "_start")))`,
    );
    const runnable = new RunnableModule(module);
    expect(() => runnable.instantiate({})).toThrow(WebAssembly.RuntimeError);
    expect(run(module, 2)).toMatchObject([
      { outcome: 'trap', trapKind: 'memory-out-of-bounds' },
      { outcome: 'trap', trapKind: 'memory-out-of-bounds' },
    ]);
  });

  it('grows to its own maximum and no further, each time', () => {
    const grow = `(call $exit (i32.add
      (i32.mul (memory.grow (i32.const 2)) (i32.const 10)) (memory.grow (i32.const 1))))`;
    const module = admittedText(commandText(grow).replace('"memory") 1)', '"memory") 1 3)'));
    expect(run(module, 2).map(({ exitCode }) => exitCode)).toEqual([9, 9]);
  });
});

describe('RunnableModule', () => {
  const instantiate = (module: RunnableModule) => module.instantiate({}).memory;

  it('gives a small memory to one instance after the other, and none to two', () => {
    const module = new RunnableModule(bytesOfText('(module (memory (export "m") 4))'));
    const [first, second] = [instantiate(module), instantiate(module)];
    if (first === null || second === null) throw new Error('no memory to take back');
    expect(first).not.toBe(second);
    module.takeBack(first);
    expect(instantiate(module)).toBe(first);
    expect(instantiate(module)).not.toBe(first);
  });

  it('leaves large memories to their instances', () => {
    expect(instantiate(new RunnableModule(bytesOfText('(module (memory (export "m") 5))')))).toBeNull();
    expect(instantiate(new RunnableModule(bytesOfText('(module (func (export "f")))')))).toBeNull();
  });

  it.each([
    ['no sections before', binaryModule(['memory', vectorOf([0, 1])], ['export', exportOf('m', 2)])],
    [
      'imports of its own',
      binaryModule(
        ['type', vectorOf([0x60, 0, 0])],
        ['import', vectorOf([...nameOf('a'), ...nameOf('f'), 0, 0])],
        ['function', vectorOf([0])],
        ['memory', vectorOf([1, 1, 2])],
        ['export', exportOf('m', 2)],
        ['code', codeOf(Uint8Array.of(0x10, 0, 0x0b))],
      ),
    ],
    [
      'a name section first',
      binaryModule(['custom', vectorOf()], ['memory', vectorOf([0, 1])], ['export', exportOf('m', 2)]),
    ],
  ])('takes the memory out of a module with %s', (_, bytes) => {
    const { exports, memory } = new RunnableModule(bytes).instantiate({ a: { f: () => {} } });
    expect(memory).toBeInstanceOf(WebAssembly.Memory);
    expect(exports['m']).toBe(memory);
  });

  it.each([
    ['nothing', new Uint8Array(0)],
    ['a cut module', bytesOfText('(module (memory 1) (func (export "f")))').subarray(0, -3)],
    ['a memory whose limits go on', binaryModule(['memory', vectorOf([0, 1, 1])])],
    ['two memory sections', binaryModule(['memory', vectorOf([0, 1])], ['memory', vectorOf([0, 1])])],
    ['imports behind the memory', binaryModule(['memory', vectorOf([0, 1])], ['import', vectorOf()])],
  ])('leaves it to the engine to refuse %s', (_, bytes) => {
    expect(() => new RunnableModule(bytes)).toThrow(WebAssembly.CompileError);
  });
});

/** Writes the end of the memory to stdout. */
function hostCall(from: number): string {
  return `(i32.store (i32.const 0) (i32.const ${from})) (i32.store (i32.const 4) (i32.const 4))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))`;
}

function exportOf(name: string, kind: number) {
  return vectorOf([...nameOf(name), kind, 0]);
}
