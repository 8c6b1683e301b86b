import { describe, expect, it } from 'vitest';
import { ADMISSION_LIMITS } from '../binary/limits.js';
import { ByteWriter } from '../binary/byte-writer.js';
import { VALUE_TYPE } from '../binary/value-types.js';
import { binaryModule, codeOf, nameOf, vectorOf } from '../testing/binary-module.js';
import { admitModule } from './index.js';
import { requireDeliverable } from './rewrite-functions.js';
import { SHAPES, VectorShapes } from './vector-shapes.js';

const WIDTH = 128;
const wide = Array<number>(WIDTH).fill(VALUE_TYPE.i32);
/** Types: none to none, none to many, many to many. */
const types = vectorOf([0x60, 0, 0], [0x60, 0, 0x80, 1, ...wide], [0x60, 0x80, 1, ...wide, 0x80, 1, ...wide]);

/** `_start`, which returns at once, the given functions of types by index, and one of each wide type that traps. */
function moduleOf(...functions: ReadonlyArray<readonly [type: number, code: Uint8Array]>): Uint8Array {
  const trap = Uint8Array.of(0x00, 0x0b);
  return binaryModule(
    ['type', types],
    ['function', vectorOf([0], [1], [2], ...functions.map(([type]) => [type]))],
    ['memory', vectorOf([0, 1])],
    ['export', vectorOf([...nameOf('_start'), 0, 0])],
    ['code', codeOf(Uint8Array.of(0x0b), trap, trap, ...functions.map(([, code]) => code))],
  );
}

/** `times` the same instructions, between others. */
function repeated(
  times: number,
  instructions: readonly number[],
  before: readonly number[],
  after: readonly number[],
) {
  const code = new ByteWriter(times * instructions.length + 16).raw(Uint8Array.from(before));
  const bytes = Uint8Array.from(instructions);
  for (let i = 0; i < times; i++) code.raw(bytes);
  return code.raw(Uint8Array.from(after)).view();
}

function refusal(bytes: Uint8Array) {
  const admission = admitModule(bytes);
  if (admission.admitted) throw new Error('admitted');
  return admission.errors[0];
}

const isAdmitted = (bytes: Uint8Array) => admitModule(bytes).admitted;

const CALL_SOURCE = [0x10, 1];
const CALL_PASS = [0x10, 2];
const BLOCK_PASS = [0x02, 2, 0x0b];
const BRANCH_IF_0 = [0x41, 0, 0x0d, 0];
const RETURN = [0x0f, 0x0b];
const END = [0x0b];

describe('a module with which an engine would run out of memory', () => {
  it('is refused at the call that puts too many operands on the stack', () => {
    const most = ADMISSION_LIMITS.operandsPerFunction / WIDTH;
    expect(isAdmitted(moduleOf([1, repeated(most, CALL_SOURCE, [], RETURN)]))).toBe(true);
    const tooMany = moduleOf([1, repeated(10_000, CALL_SOURCE, [], RETURN)]);
    const first = tooMany.length - (10_000 * CALL_SOURCE.length + RETURN.length);
    expect(refusal(tooMany)).toMatchObject({ rule: 'too-large', offset: first + most * CALL_SOURCE.length });
    expect(refusal(tooMany)?.message).toContain('operandsPerFunction');
  });

  it('is refused where unreachable code does', () => {
    const dead = moduleOf([1, repeated(10_000, CALL_SOURCE, [0x00], END)]);
    expect(refusal(dead)?.message).toContain('operandsPerFunction');
  });

  it.each([
    ['calls', CALL_PASS, 2 * WIDTH],
    ['blocks', BLOCK_PASS, 2 * WIDTH],
    ['conditional branches', BRANCH_IF_0, WIDTH],
  ])('is refused where the %s of a function hand on too many operands', (_, instructions, moved) => {
    const most = Math.floor((ADMISSION_LIMITS.operandsMovedPerFunction - WIDTH) / moved);
    const withMany = (times: number) => moduleOf([1, repeated(times, instructions, CALL_SOURCE, END)]);
    expect(isAdmitted(withMany(most))).toBe(true);
    expect(refusal(withMany(most + 1))?.message).toContain('operandsMovedPerFunction');
  });

  it('is refused where all functions together do', () => {
    const times = Math.floor((ADMISSION_LIMITS.operandsMovedPerFunction - WIDTH) / (2 * WIDTH));
    const one = [1, repeated(times, CALL_PASS, CALL_SOURCE, END)] as const;
    const functions = Math.ceil(
      ADMISSION_LIMITS.operandsMovedTogether / (ADMISSION_LIMITS.operandsMovedPerFunction - 2 * WIDTH),
    );
    const bytes = moduleOf(...Array.from({ length: functions }, () => one));
    expect(refusal(bytes)?.message).toContain('operandsMovedTogether');
  });
});

describe('a module that metering makes too large', () => {
  it('is refused at the function that engines would not compile any more', () => {
    // Large tables of branches are few instructions, and take the test as little time.
    const table = [0x03, 0x40, 0x41, 0, 0x0e, ...new ByteWriter().u32(65_000).view()];
    const loop = [...table, ...Array<number>(65_001).fill(0), 0x0b];
    const times = Math.floor(ADMISSION_LIMITS.functionBytes / loop.length);
    const nops = Array<number>(ADMISSION_LIMITS.functionBytes - times * loop.length - 100).fill(0x01);
    const code = repeated(times, loop, nops, END);
    const bytes = moduleOf([0, code]);
    expect(refusal(bytes)).toMatchObject({ rule: 'too-large', offset: bytes.length - code.length - 1 });
    expect(refusal(bytes)?.message).toMatch(/functionBytes once metering is added/);
  });

  it('is refused where volunteers would not download it', () => {
    const most = ADMISSION_LIMITS.rewrittenBytes;
    expect(() => requireDeliverable(most)).not.toThrow();
    expect(() => requireDeliverable(most + 1)).toThrow(/rewrittenBytes once metering is added/);
  });
});

describe('a vector that many branches hand on', () => {
  it('is noted once', () => {
    const vectors = new VectorShapes();
    vectors.reset(0, 0);
    const value = vectors.produce(7, SHAPES.f32x4);
    for (let branch = 0; branch < 1_000; branch++) vectors.use(value, SHAPES.none);
    const sites: number[] = [];
    vectors.solve(
      (site) => sites.push(site),
      () => {},
    );
    expect(sites).toEqual([7]);
  });
});
