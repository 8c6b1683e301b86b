import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { compareUtf8 } from '../wasi/compare-utf8.js';
import { steppingApp } from '../testing/stepping-app.js';
import { admittedText, aUnit, commandText } from '../testing/units.js';
import { SandboxProcess, type SandboxProcessOptions } from './sandbox-process.js';
import type { UnitResult, UnitToRun } from './types.js';

const ENDLESS = 10n ** 18n;
const loop = commandText('(call $progress (i32.const 1)) (loop $again (br $again))').replace(
  '(memory',
  '(import "gleaner" "progress" (func $progress (param i32))) (memory',
);
const endless = aUnit(admittedText(loop), { limits: { maxCycles: ENDLESS } });
const exits7 = aUnit(admittedText(commandText('(call $exit (i32.const 7))')));
/** Touches every page of all the memory that it may have. */
const FILLS_256_MIB = `(module (memory (export "memory") 1)
  (func (export "_start") (local $at i32)
    (drop (memory.grow (i32.const 4095)))
    (loop $again
      (i32.store8 (local.get $at) (i32.const 1))
      (local.set $at (i32.add (local.get $at) (i32.const 4096)))
      (br_if $again (i32.lt_u (local.get $at) (i32.const 0x10000000))))))`;
const isLinux = process.platform === 'linux';

function aSandbox(options?: SandboxProcessOptions): SandboxProcess {
  const sandbox = new SandboxProcess(options);
  onTestFinished(() => sandbox.close());
  return sandbox;
}

/** Resolves when the unit has told its first progress: it computes. */
function startEndless(sandbox: SandboxProcess, signal?: AbortSignal) {
  const { promise: running, resolve } = Promise.withResolvers<void>();
  const result = sandbox.run(endless, { onProgress: () => resolve(), ...(signal ? { signal } : {}) });
  return { result, running };
}

describe('a sandbox process', () => {
  it('is killed when its unit is aborted, and replaced for the next', async () => {
    const sandbox = aSandbox();
    const abort = new AbortController();
    const { result, running } = startEndless(sandbox, abort.signal);
    await running;
    const next = sandbox.run(exits7);
    const pid = sandbox.pid ?? 0;
    abort.abort(new Error('no longer wanted'));
    await expect(result).rejects.toThrow('no longer wanted');
    expect(await next).toMatchObject({ outcome: 'exit', exitCode: 7 });
    expect(sandbox.pid).not.toBe(pid);
    await expect.poll(() => isAlive(pid)).toBe(false);
  });

  it('does not run a unit that was aborted while it waited', async () => {
    const sandbox = aSandbox();
    const first = sandbox.run(exits7);
    const abort = new AbortController();
    const second = sandbox.run(endless, { signal: abort.signal });
    abort.abort();
    await expect(second).rejects.toThrow('abort');
    expect(await first).toMatchObject({ exitCode: 7 });
    await expect(sandbox.run(endless, { signal: AbortSignal.abort() })).rejects.toThrow('abort');
    expect(await sandbox.run(exits7)).toMatchObject({ exitCode: 7 });
  });

  it('hands over results before it begins a long unit, and drops one that is aborted before its turn', async () => {
    const sandbox = aSandbox();
    const abort = new AbortController();
    const units = [
      sandbox.run(exits7),
      sandbox.run(endless, { signal: abort.signal }),
      sandbox.run(endless, { signal: abort.signal }),
      sandbox.run(exits7),
    ];
    const settled = Promise.allSettled(units);
    expect(await units[0]).toMatchObject({ exitCode: 7 });
    abort.abort(new Error('no longer wanted'));
    const states = (await settled).map(({ status }) => status);
    expect(states).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
  });

  it('that dies is a failure of this host, and the units behind it are not lost', async () => {
    const sandbox = aSandbox();
    const { result, running } = startEndless(sandbox);
    const next = sandbox.run(exits7);
    await running;
    process.kill(sandbox.pid ?? 0, 'SIGKILL');
    expectHostFailure(await result, 'SIGKILL');
    expect(await next).toMatchObject({ exitCode: 7 });
  });

  it('stops while it is paused, in the middle of a unit, and goes on to the same result', async () => {
    const unit = aUnit(steppingApp(300_000), {
      inputs: { a: { kind: 'bytes', bytes: new Uint8Array(100) } },
      limits: { maxCycles: ENDLESS, outputBytes: 10_000 },
    });
    const sandbox = aSandbox();
    const undisturbed = await sandbox.run(unit);
    const { promise: running, resolve } = Promise.withResolvers<void>();
    const disturbed = sandbox.run(unit, { onProgress: () => resolve() });
    await running;
    sandbox.pause();
    if (isLinux) await expect.poll(() => statusOf(sandbox.pid)).toBe('T');
    sandbox.resume();
    sandbox.setDutyCycle(0.5);
    const { outcome, cycles, outputs } = await disturbed;
    expect({ outcome, cycles, outputs }).toEqual({
      outcome: 'ok',
      cycles: undisturbed.cycles,
      outputs: undisturbed.outputs,
    });
  });

  it('ends what is unfinished when it is closed, and can be closed twice', async () => {
    const sandbox = aSandbox();
    const { result, running } = startEndless(sandbox);
    await running;
    await sandbox.close();
    await sandbox.close();
    expect(await result).toMatchObject({ outcome: 'infrastructure' });
    expect(await sandbox.run(exits7)).toMatchObject({ outcome: 'infrastructure' });
  });

  it('says why where it cannot start', async () => {
    const sandbox = aSandbox({ engineFlags: ['--no-such-flag'] });
    const result = await sandbox.run(exits7);
    expectHostFailure(result, 'cannot start');
  });

  it.runIf(isLinux)('has no environment, no descriptors of ours, and the lowest priority', async () => {
    process.env['GLEANER_TEST_SECRET'] = 'gln_secret';
    const sandbox = await SandboxProcess.start();
    onTestFinished(() => sandbox.close());
    const proc = `/proc/${sandbox.pid}`;
    const environment = readFileSync(`${proc}/environ`, 'utf8').split('\0').filter(Boolean);
    expect(environment.map((entry) => entry.slice(0, entry.indexOf('='))).sort(compareUtf8)).toEqual([
      'NODE_CHANNEL_FD',
      'NODE_CHANNEL_SERIALIZATION_MODE',
    ]);
    expect(readFileSync(`${proc}/stat`, 'utf8').split(') ')[1]?.split(' ')[16]).toBe('19');
    const targets = readdirSync(`${proc}/fd`).map((fd) => readlinkSync(`${proc}/fd/${fd}`));
    const files = targets.filter((target) => target.startsWith('/') && target !== '/dev/null');
    expect(files).toEqual([]);
    expect(targets.filter((target) => target.startsWith('socket:'))).toHaveLength(1);
  });

  it.runIf(isLinux)('reads only the directories that it was given', async () => {
    const sandbox = aSandbox({ readableDirectories: [fileURLToPath(new URL('.', import.meta.url))] });
    const inside = fileURLToPath(import.meta.url);
    const file = (path: string): UnitToRun['inputs'] => ({
      a: { kind: 'files', pieces: [{ path, offset: 0, length: 5 }] },
    });
    const readAll = steppingApp(1);
    expect(await sandbox.run(aUnit(readAll, { inputs: file(inside) }))).toMatchObject({ outcome: 'ok' });
    const outside = await sandbox.run(aUnit(readAll, { inputs: file('/etc/passwd') }));
    expectHostFailure(outside, 'restricted');
  });

  it.runIf(isLinux)(
    'gives the memory of a large unit back before the next one, and when there is none',
    async () => {
      const sandbox = aSandbox();
      const large = aUnit(admittedText(FILLS_256_MIB), { limits: { memoryMiB: 256, maxCycles: ENDLESS } });
      for (let unit = 0; unit < 3; unit += 1)
        expect(await sandbox.run(large)).toMatchObject({ outcome: 'ok' });
      const pid = sandbox.pid ?? 0;
      expect(memoryMiB(pid, 'VmHWM')).toBeLessThan(2 * 256);
      await expect.poll(() => memoryMiB(pid, 'VmRSS'), { timeout: 20_000 }).toBeLessThan(256);
    },
  );
});

describe.runIf(process.platform !== 'win32')('the death of the parent', () => {
  const program = fileURLToPath(new URL('../testing/orphan-maker.ts', import.meta.url));
  const parents: { kill: (signal: NodeJS.Signals) => void }[] = [];
  afterAll(() => parents.forEach((parent) => parent.kill('SIGKILL')));

  it.each(['idle', 'busy', 'paused'])('ends a sandbox process that is %s', async (state) => {
    const flags = ['--experimental-transform-types', '--disable-warning=ExperimentalWarning'];
    const loader = fileURLToPath(new URL('../testing/source-loader.mjs', import.meta.url));
    const parent = spawn(process.execPath, [...flags, '--import', loader, program, state], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    parents.push(parent);
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(line);
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await expect.poll(() => isAlive(pid)).toBe(false);
  });
});

function expectHostFailure({ outcome, message }: UnitResult, reason: string): void {
  expect(outcome).toBe('infrastructure');
  expect(message).toContain(reason);
}

/** R, S, T …: running, sleeping, stopped. */
function statusOf(pid: number | null): string | undefined {
  return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0];
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // A zombie has ended, though nobody has asked yet.
  return !existsSync(`/proc/${pid}/stat`) || statusOf(pid) !== 'Z';
}

/** What the kernel says of a process: its memory now (`VmRSS`) or the most that it had (`VmHWM`). */
function memoryMiB(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const [, kib] =
    new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) / 1024;
}
