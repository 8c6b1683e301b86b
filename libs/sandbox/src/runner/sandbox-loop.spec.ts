import { hash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { admittedText, aUnit } from '../testing/units.js';
import { sourceOfPieces } from '../wasi/byte-source.js';
import type { SandboxReply, SentUnit } from './messages.js';
import { SandboxLoop } from './sandbox-loop.js';
import type { UnitToRun } from './types.js';

const QUICK = aUnit(admittedText('(module (memory 1) (func (export "_start")))'));
const ENDLESS_STEPS = aUnit(
  admittedText(`(module (import "gleaner" "progress" (func $progress (param i32))) (memory 1)
    (func (export "gleaner_step") (result i32) (call $progress (i32.const 5)) (i32.const 1)))`),
);

/** The inside of a sandbox in this process. Its replies wait to be read; time passes only while it yields. */
function aLoop() {
  const replies: SandboxReply[] = [];
  let nextId = 1;
  let turns = 0;
  const loop = new SandboxLoop({
    send: (reply) => void replies.push(reply),
    readModule: (source) => (source.kind === 'bytes' ? source.bytes : new Uint8Array(0)),
    sha256Hex: (bytes) => hash('sha256', bytes),
    openFiles: () => sourceOfPieces([]),
    cpuMs: () => 0,
    yield: async () => {
      turns++;
      await setImmediate();
    },
  });
  const run = (units: readonly UnitToRun[], { withModules = true, isWatched = false } = {}): number[] => {
    const sent = units.map(({ module: _module, ...unit }): SentUnit => ({
      ...unit,
      id: nextId++,
      isWatched,
    }));
    const modules = units.map(({ module, moduleSha256 }) => ({ sha256: moduleSha256, source: module }));
    loop.receive({ type: 'run', modules: withModules ? modules : [], evict: [], units: sent });
    return sent.map(({ id }) => id);
  };
  const finished = () =>
    replies
      .flatMap((reply) => (reply.type === 'finished' ? reply.units : []))
      .map(({ id, result }) => [id, result.outcome]);
  return { loop, replies, run, finished, turns: () => turns };
}

/** No time passes, however busy the machine is: every unit is quick, and no turn ends by itself. */
function stopTime(): void {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
}

describe('SandboxLoop', () => {
  it('runs units in order and gives small ones back together', async () => {
    stopTime();
    const { run, finished, replies } = aLoop();
    const ids = run([QUICK, QUICK, QUICK]);
    await expect.poll(finished).toEqual(ids.map((id) => [id, 'ok']));
    expect(replies.filter(({ type }) => type === 'finished')).toHaveLength(1);
  });

  it('gives units back together that may use much and never do', async () => {
    stopTime();
    const { run, finished, replies } = aLoop();
    const generous = { ...QUICK, limits: { ...QUICK.limits, maxCycles: 10n ** 12n } };
    const ids = run(Array.from({ length: 200 }, () => generous));
    await expect.poll(finished).toEqual(ids.map((id) => [id, 'ok']));
    // The first is not known to be quick.
    expect(replies.filter(({ type }) => type === 'finished').length).toBeLessThanOrEqual(2);
  });

  it('tells which units it dropped', async () => {
    const { loop, run, finished, replies } = aLoop();
    const large = { ...QUICK, limits: { ...QUICK.limits, maxCycles: 10n ** 12n } };
    const [first, second, third] = run([large, large, large]);
    loop.receive({ type: 'drop', ids: [second ?? 0] });
    await expect.poll(finished).toEqual([
      [first, 'ok'],
      [third, 'ok'],
    ]);
    expect(replies).toContainEqual({ type: 'dropped', id: second });
  });

  it('holds between steps until it is let go', async () => {
    const { loop, run, finished, turns } = aLoop();
    const limits = { ...ENDLESS_STEPS.limits, maxCycles: 6_000_000n };
    const [id] = run([{ ...ENDLESS_STEPS, limits }]);
    loop.receive({ type: 'hold', isHeld: true });
    await expect.poll(turns).toBeGreaterThan(0);
    const held = turns();
    for (let i = 0; i < 50; i++) await setImmediate();
    expect(turns()).toBe(held);
    expect(finished()).toEqual([]);
    loop.receive({ type: 'hold', isHeld: false });
    await expect.poll(finished).toEqual([[id, 'cycle-limit']]);
  });

  it('says when it lacks a module, so that it is sent again', async () => {
    const { run, finished, replies } = aLoop();
    const [missing] = run([QUICK], { withModules: false });
    await expect.poll(finished).toEqual([[missing, 'infrastructure']]);
    expect(replies.at(-1)).toMatchObject({ units: [{ isModuleLost: true }] });
    const [found] = run([QUICK]);
    await expect.poll(finished).toEqual([
      [missing, 'infrastructure'],
      [found, 'ok'],
    ]);
  });

  it('tells of progress no more than ten times a second', async () => {
    const { run, finished, replies } = aLoop();
    run([ENDLESS_STEPS]);
    await expect.poll(finished).toHaveLength(1);
    const told = replies.filter(({ type }) => type === 'progress');
    expect(told[0]).toMatchObject({ permille: 5 });
    expect(told.length).toBeLessThan(100);
  });

  it.each([
    [256, true, 1],
    [256, false, 0],
    [257, true, 0],
  ])('gives a picture of %i KiB, where somebody looks: %s, away %i times', async (kib, isWatched, times) => {
    const { run, finished, replies } = aLoop();
    const painter = aUnit(
      admittedText(`(module (import "gleaner" "frame" (func $frame (param i32 i32))) (memory 8)
        (func (export "_start") (call $frame (i32.const 0) (i32.const ${kib * 1024}))))`),
    );
    const [id] = run([painter], { isWatched });
    await expect.poll(finished).toEqual([[id, 'ok']]);
    const told = replies.flatMap((reply) => (reply.type === 'frame' ? [reply.bytes.length] : []));
    expect(told).toEqual(Array<number>(times).fill(kib * 1024));
  });
});
