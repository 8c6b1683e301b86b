import { afterAll, describe, expect, it } from 'vitest';
import { admittedText, aUnit, commandText, textOf, type UnitOverrides } from '../testing/units.js';
import { SandboxProcess } from './sandbox-process.js';
import type { UnitTrapKind } from './types.js';

const sandbox = new SandboxProcess();
afterAll(() => sandbox.close());

const run = (text: string, overrides: UnitOverrides = {}) =>
  sandbox.run(aUnit(admittedText(text), overrides));

const LINK = `(import "wasi_snapshot_preview1" "path_link"
  (func $link (param i32 i32 i32 i32 i32 i32 i32) (result i32)))`;

/** Opens `path` (at address 64) below the root with the given flags and ends with the error code. */
const openAndExit = (path: string, oflags: number, rights: number) =>
  commandText(
    `(call $exit (call $path_open (i32.const 3) (i32.const 1) (i32.const 64) (i32.const ${new TextEncoder().encode(path).length})
       (i32.const ${oflags}) (i64.const ${rights}) (i64.const 0) (i32.const 0) (i32.const 0)))`,
    `(data (i32.const 64) "${path}")`,
  );

describe('a hostile app', () => {
  // After everything that an app tried, the same process still computes as before.
  afterAll(async () => {
    const result = await run(commandText('(call $exit (i32.const 7))'));
    expect(result).toMatchObject({ outcome: 'exit', exitCode: 7 });
  });

  it('that loops for ever runs out of cycles, always at the same count', async () => {
    const result = await run(commandText('(loop $again (br $again))'), { limits: { maxCycles: 5_000_000n } });
    expect(result).toMatchObject({ outcome: 'cycle-limit', cycles: 5_000_000n, trapKind: null });
  });

  it.each([
    [14n, 'ok'],
    [13n, 'cycle-limit'],
  ])(
    'that has %s cycles and uses 14, the last ones for a host call, ends with %s',
    async (maxCycles, outcome) => {
      // Nine instructions, and 80 bytes: five cycles.
      const program = commandText(
        `(i32.store (i32.const 4) (i32.const 80))
       (drop (call $fd_write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8)))`,
      );
      expect(await run(program, { limits: { maxCycles } })).toMatchObject({ outcome, cycles: maxCycles });
    },
  );

  it('that loops longer than its wall clock is killed, which is not its fault', async () => {
    const loop = commandText('(loop $again (br $again))');
    const result = await run(loop, { limits: { maxCycles: 10n ** 18n, wallMs: 100 } });
    expect(result).toMatchObject({ outcome: 'infrastructure', outputs: [] });
    expect(result.message).toContain('its time was over');
  });

  it('that recurses without end exhausts the metered stack', async () => {
    const result = await run(commandText('(call $down)', '(func $down (call $down) (call $down))'));
    expect(result).toMatchObject({ outcome: 'trap', trapKind: 'stack-exhausted' });
  });

  it('that grows its memory without end is told no at the limit', async () => {
    const bomb = commandText(
      `(loop $again (br_if $again (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
       (call $exit (memory.size))`,
    );
    const result = await run(bomb, { limits: { memoryMiB: 4 } });
    expect(result).toMatchObject({ outcome: 'exit', exitCode: 64 });
  });

  it.each([
    [63, /^.*unreachable.*; its memory has 4 of the 4 MiB that it may use \(limits.memoryMiB\)$/],
    [15, /^[^;]*unreachable[^;]*$/],
  ])('that traps with %i more pages of its 64 says whether they may be why', async (pages, message) => {
    const trapping = commandText(`(drop (memory.grow (i32.const ${pages}))) (unreachable)`);
    const result = await run(trapping, { limits: { memoryMiB: 4 } });
    expect(result).toMatchObject({ outcome: 'trap', trapKind: 'unreachable' });
    expect(result.message).toMatch(message);
  });

  it('that starts with more memory than allowed does not run', async () => {
    const big = '(module (memory 1000) (func (export "_start")))';
    const result = await run(big, { limits: { memoryMiB: 4 } });
    expect(result.outcome).toBe('infrastructure');
    expect(result.message).toContain('62.5 MiB');
  });

  it('that writes without end is stopped at the output limit', async () => {
    const bomb = commandText(
      `(i32.store (i32.const 4) (i32.const 1000))
       (loop $again (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))) (br $again))`,
    );
    const result = await run(bomb, { limits: { outputBytes: 10_500 } });
    expect(result.outcome).toBe('output-limit');
    expect(result.outputs[0]?.size).toBe(10_000);
  });

  it.each([
    ['(i32.const 0)', 8000, 'ok', 2],
    ['(i32.const 0)', 7999, 'output-limit', 0],
    ['(unreachable)', 7999, 'output-limit', 0],
  ])(
    'that gives 4000 bytes the names of two outputs and ends with %s, with %i bytes allowed, ends with %s',
    async (end, outputBytes, outcome, outputs) => {
      const twins = commandText(
        `(drop (call $path_open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 8) (i32.const 1)
           (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 16)))
         (i32.store (i32.const 4) (i32.const 4000))
         (drop (call $fd_write (i32.load (i32.const 16)) (i32.const 0) (i32.const 1) (i32.const 8)))
         (drop (call $link (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 8)
           (i32.const 3) (i32.const 96) (i32.const 8)))
         (call $exit ${end})`,
        '(data (i32.const 64) "output/a") (data (i32.const 96) "output/b")',
      ).replace('(memory', `${LINK} (memory`);
      const result = await run(twins, { outputs: ['a', 'b'], limits: { outputBytes } });
      expect(result.outcome).toBe(outcome);
      expect(result.outputs.map(({ size }) => size)).toEqual(Array<number>(outputs).fill(4000));
    },
  );

  it('that fills the scratch directory is told that there is no space', async () => {
    const bomb = commandText(
      `(drop (call $path_open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 5) (i32.const 1)
         (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 16)))
       (i32.store (i32.const 4) (i32.const 65536))
       (loop $again
         (br_if $again (i32.eqz (local.tee $errno
           (call $fd_write (i32.load (i32.const 16)) (i32.const 0) (i32.const 1) (i32.const 8))))))
       (call $exit (local.get $errno))`.replace(/^/, '(local $errno i32) '),
      '(data (i32.const 64) "tmp/x")',
    );
    const result = await run(bomb, { limits: { memoryMiB: 1 } });
    expect(result).toMatchObject({ outcome: 'exit', exitCode: 51 });
  });

  it('that opens files without end runs out of descriptors', async () => {
    const bomb = commandText(
      `(local $errno i32)
       (loop $again (br_if $again (i32.eqz (local.tee $errno
         (call $path_open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 3) (i32.const 0)
           (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 0))))))
       (call $exit (i32.add (i32.load (i32.const 0)) (i32.mul (local.get $errno) (i32.const 10000))))`,
      '(data (i32.const 64) "tmp")',
    );
    const result = await run(bomb);
    // 33 is EMFILE; the last descriptor given was 1023.
    expect(result).toMatchObject({ outcome: 'exit', exitCode: 33 * 10_000 + 1023 });
  });

  it('that gives its files names without end is told that there is no space', async () => {
    // Makes tmp/x, then a link tmp/NNNNNN to it for each number; ends with the count and ENOSPC (51).
    const bomb = commandText(
      `(local $count i32) (local $errno i32)
       (drop (call $path_open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 5) (i32.const 1)
         (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 16)))
       (loop $again
         (i32.store (i32.const 100) (i32.add (i32.const 0x41414141) (i32.and (local.get $count) (i32.const 0x0f0f0f0f))))
         (i32.store8 (i32.const 104) (i32.add (i32.const 0x41) (i32.and (i32.shr_u (local.get $count) (i32.const 4)) (i32.const 15))))
         (i32.store8 (i32.const 105) (i32.add (i32.const 0x41) (i32.and (i32.shr_u (local.get $count) (i32.const 12)) (i32.const 15))))
         (local.set $count (i32.add (local.get $count) (i32.const 1)))
         (local.set $errno (call $link (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 5)
           (i32.const 3) (i32.const 96) (i32.const 10)))
         (br_if $again (i32.eqz (local.get $errno))))
       (call $exit (i32.add (i32.mul (local.get $errno) (i32.const 100000)) (local.get $count)))`,
      '(data (i32.const 64) "tmp/x") (data (i32.const 96) "tmp/")',
    ).replace('(memory', `${LINK} (memory`);
    const result = await run(bomb, { limits: { maxCycles: 10n ** 8n, memoryMiB: 1 } });
    // 16,384 names: input, output, tmp and x, then links.
    expect(result).toMatchObject({ outcome: 'exit', exitCode: 51 * 100_000 + 16_384 - 4 + 1 });
  });

  it.each([
    ['../etc/passwd', 0, 2, 'notcapable', 76],
    ['/etc/passwd', 0, 2, 'notcapable', 76],
    ['tmp/../../etc/passwd', 0, 2, 'notcapable', 76],
    ['etc/passwd', 0, 2, 'noent', 44],
    ['input/../input/a', 0, 2, 'success', 0],
    ['input/a', 0, 64, 'rofs', 69],
    ['input/a', 8, 2, 'rofs', 69],
    ['input/new', 1, 64, 'rofs', 69],
    ['new', 1, 64, 'rofs', 69],
    ['input/a/', 0, 2, 'notdir', 54],
    ['input/a/b', 0, 2, 'notdir', 54],
    ['tmp\\00/x', 1, 64, 'inval', 28],
    ['tmp/\\ff', 1, 64, 'ilseq', 25],
  ])('that opens %s (flags %i, rights %i) gets %s', async (path, oflags, rights, _name, errno) => {
    const shown = path.replaceAll(/\\../g, '.');
    const program = openAndExit(shown, oflags, rights).replace(`"${shown}"`, `"${path}"`);
    const result = await run(program, {
      inputs: { a: { kind: 'bytes', bytes: new TextEncoder().encode('a') } },
    });
    expect(result.exitCode).toBe(errno);
  });

  it.each<[UnitTrapKind, string]>([
    ['unreachable', 'unreachable'],
    ['memory-out-of-bounds', '(drop (i32.load (i32.const -1)))'],
    ['memory-out-of-bounds', '(memory.fill (i32.const 65000) (i32.const 0) (i32.const 1000))'],
    ['memory-out-of-bounds', '(call_indirect (type $v) (i32.const 9))'],
    ['indirect-call-mismatch', '(call_indirect (type $v) (i32.const 1))'],
    ['indirect-call-mismatch', '(call_indirect (type $v) (i32.const 0))'],
    ['integer-divide-by-zero', '(drop (i32.div_u (i32.const 1) (i32.load (i32.const 0))))'],
    ['integer-divide-by-zero', '(drop (i64.rem_s (i64.const 1) (i64.load (i32.const 0))))'],
    [
      'integer-overflow',
      '(drop (i32.div_s (i32.const -2147483648) (i32.sub (i32.load (i32.const 0)) (i32.const 1))))',
    ],
    ['integer-overflow', '(drop (i32.trunc_f64_s (f64.div (f64.load (i32.const 0)) (f64.const 0))))'],
    ['integer-overflow', '(drop (i64.trunc_f32_u (f32.sub (f32.load (i32.const 0)) (f32.const 1))))'],
  ])('that traps with %s is told so: %s', async (kind, body) => {
    const rest =
      '(type $v (func)) (table 2 2 funcref) (func $n (result i32) (i32.const 0)) (elem (i32.const 1) $n)';
    const result = await run(commandText(body, rest));
    expect(result).toMatchObject({ outcome: 'trap', trapKind: kind });
    expect(result.message).not.toBe('');
  });

  it('keeps what it wrote before the trap, and its last words', async () => {
    const program = commandText(
      `(i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 2))
       (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
       (drop (call $fd_write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8)))
       unreachable`,
      '(data (i32.const 64) "hi")',
    );
    const result = await run(program);
    expect(result).toMatchObject({ outcome: 'trap', stderr: 'hi' });
    expect(textOf(result.outputs[0]?.bytes)).toBe('hi');
  });
});
