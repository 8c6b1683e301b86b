import { hash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { admitModule } from '@gleaner/sandbox/admission';
import { InProcessRunner, SandboxProcess, type UnitResult, type UnitToRun } from '@gleaner/sandbox/runner';
import binaryen from 'assemblyscript/binaryen';

/** Short rounds, of which the best counts: other programs disturb some of them. */
const BATCH = 1_000;
const ROUNDS = 30;
/** Rounds before, until the host's own code is compiled and the heap has its size. */
const WARM_UP_ROUNDS = 10;
const SNAPSHOT_MEMORY_MIB = 64;
const SNAPSHOT_STEPS = 40;
const MINUTE_MS = 60_000;
/** The unit of CPU times in `/proc` on every Linux system. */
const TICK_MS = 10;

/** Reads its 16 bytes of input, adds them up, writes the sum. */
const SMALL_UNIT = `(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "input/a")
  (func (export "_start") (local $i i32) (local $sum i32)
    (drop (call $path_open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 7) (i32.const 0)
      (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 16)))
    (i32.store (i32.const 32) (i32.const 64)) (i32.store (i32.const 36) (i32.const 16))
    (drop (call $fd_read (i32.load (i32.const 16)) (i32.const 32) (i32.const 1) (i32.const 20)))
    (loop $again
      (local.set $sum (i32.add (local.get $sum) (i32.load8_u offset=64 (local.get $i))))
      (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 16))))
    (i32.store (i32.const 64) (local.get $sum)) (i32.store (i32.const 36) (i32.const 4))
    (drop (call $fd_write (i32.const 1) (i32.const 32) (i32.const 1) (i32.const 20)))))`;

/** Fills its memory with randomness, which nothing can compress, and computes about 100 ms in each of its steps. */
const SNAPSHOT_UNIT = `(module
  (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
  (memory (export "memory") ${SNAPSHOT_MEMORY_MIB * 16})
  (global $step (mut i32) (i32.const 0))
  (global $x (mut i64) (i64.const 1))
  (func (export "_initialize")
    (drop (call $random_get (i32.const 0) (i32.const ${SNAPSHOT_MEMORY_MIB * 2 ** 20}))))
  (func (export "gleaner_step") (result i32) (local $i i32)
    (local.set $i (i32.const 60000000))
    (loop $again
      (global.set $x (i64.add (i64.mul (global.get $x) (i64.const 6364136223846793005)) (i64.const 1)))
      (br_if $again (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
    (global.set $step (i32.add (global.get $step) (i32.const 1)))
    (i32.lt_s (global.get $step) (i32.const ${SNAPSHOT_STEPS}))))`;

export interface UnitThroughput {
  /** Small units a second and core through a sandbox process, as volunteers compute them; the best of several rounds. */
  readonly unitsPerSecond: number;
  /** The same inside one process, each in a fresh instance: what the channel to the sandbox process costs. */
  readonly unitsPerSecondInProcess: number;
  /** CPU time of a unit over all rounds, which other programs disturb less than the rate; null where `/proc` is missing. */
  readonly cpuMicrosecondsPerUnit: { readonly sandbox: number | null; readonly parent: number };
}

/** How many small units one core computes. Set `--no-liftoff` before, as the sandbox process does. */
export async function measureUnitsPerSecond(): Promise<UnitThroughput> {
  const unit = aUnit(SMALL_UNIT, {
    a: { kind: 'bytes', bytes: Uint8Array.from({ length: 16 }, (_, i) => i) },
  });
  if (unit.module.kind !== 'bytes') throw new TypeError('the unit carries its module');
  const runner = new InProcessRunner(unit.module.bytes);
  const round = () => {
    for (let i = 0; i < BATCH; i++) assertOk(runner.run(unit));
    return Promise.resolve();
  };
  await bestRate(WARM_UP_ROUNDS, round);
  const unitsPerSecondInProcess = await bestRate(ROUNDS, round);
  return { ...(await measureThroughProcess(unit)), unitsPerSecondInProcess };
}

async function measureThroughProcess(
  unit: UnitToRun,
): Promise<Omit<UnitThroughput, 'unitsPerSecondInProcess'>> {
  const sandbox = await SandboxProcess.start();
  const round = async () => {
    const results = await Promise.all(Array.from({ length: BATCH }, () => sandbox.run(unit)));
    for (const result of results) assertOk(result);
  };
  await bestRate(WARM_UP_ROUNDS, round);
  const sandboxCpuAtStart = cpuMsOf(sandbox.pid);
  const parentCpuAtStart = process.cpuUsage();
  const unitsPerSecond = await bestRate(ROUNDS, round);
  const { user, system } = process.cpuUsage(parentCpuAtStart);
  const sandboxCpuMs = cpuMsOf(sandbox.pid);
  await sandbox.close();
  const perUnit = (microseconds: number) => microseconds / (ROUNDS * BATCH);
  const cpuMicrosecondsPerUnit = {
    sandbox:
      sandboxCpuMs === null || sandboxCpuAtStart === null
        ? null
        : perUnit((sandboxCpuMs - sandboxCpuAtStart) * 1000),
    parent: perUnit(user + system),
  };
  return { unitsPerSecond, cpuMicrosecondsPerUnit };
}

/** Units a second in the fastest of so many rounds. */
async function bestRate(rounds: number, round: () => Promise<void>): Promise<number> {
  let best = 0;
  for (let i = 0; i < rounds; i++) {
    const begin = performance.now();
    await round();
    best = Math.max(best, (BATCH / (performance.now() - begin)) * 1000);
  }
  return best;
}

function assertOk({ outcome, message }: UnitResult): void {
  if (outcome !== 'ok') throw new Error(`a small unit ended with ${outcome}: ${message}`);
}

/** CPU time of a process so far, to 10 ms; null where the system does not tell. */
function cpuMsOf(pid: number | null): number | null {
  const path = `/proc/${pid}/stat`;
  if (!existsSync(path)) return null;
  const fields = readFileSync(path, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

export interface SnapshotCost {
  readonly memoryMiB: number;
  /** CPU time that one snapshot takes, by the difference between two runs. */
  readonly cpuMsPerSnapshot: number;
  /** Share of the CPU at one snapshot a minute. */
  readonly overheadAtOneAMinute: number;
  /** Longest pause between two steps. */
  readonly pauseMs: number;
}

/** What snapshots of 64 MiB that nothing can compress cost a stepping app. */
export async function measureSnapshots(): Promise<SnapshotCost> {
  const directory = await mkdtemp(join(tmpdir(), 'gleaner-bench-'));
  const sandbox = await SandboxProcess.start({ checkpointDirectory: directory });
  try {
    const unit = aUnit(SNAPSHOT_UNIT, {});
    await sandbox.run(unit);
    const without = await sandbox.run(unit);
    const checkpoint = { path: join(directory, 'snapshot'), everyMs: 1 };
    const withSnapshots = await sandbox.run(unit, { checkpoint });
    const { snapshots } = withSnapshots;
    if (snapshots === undefined) throw new Error('no snapshot was taken');
    const cpuMsPerSnapshot = Math.max(0, withSnapshots.cpuMs - without.cpuMs) / snapshots.count;
    return {
      memoryMiB: SNAPSHOT_MEMORY_MIB,
      cpuMsPerSnapshot,
      overheadAtOneAMinute: cpuMsPerSnapshot / MINUTE_MS,
      pauseMs: snapshots.longestPauseMs,
    };
  } finally {
    await sandbox.close();
    await rm(directory, { recursive: true, force: true });
  }
}

function aUnit(text: string, inputs: UnitToRun['inputs']): UnitToRun {
  const parsed = binaryen.parseText(text);
  parsed.setFeatures(binaryen.Features.All);
  const admission = admitModule(parsed.emitBinary());
  parsed.dispose();
  if (!admission.admitted) throw new Error(admission.errors.map(({ message }) => message).join(' '));
  return {
    module: { kind: 'bytes', bytes: admission.module },
    moduleSha256: hash('sha256', admission.module),
    appName: 'bench',
    args: [],
    env: {},
    inputs,
    outputs: ['stdout'],
    limits: { maxCycles: 10n ** 15n, memoryMiB: SNAPSHOT_MEMORY_MIB, outputBytes: 1000, wallMs: 600_000 },
    seed: '33'.repeat(32),
  };
}
