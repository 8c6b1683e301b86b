import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { steppingApp } from '../testing/stepping-app.js';
import { admittedText, aUnit } from '../testing/units.js';
import { SandboxProcess } from './sandbox-process.js';
import type { UnitResult } from './types.js';

const directory = mkdtempSync(join(tmpdir(), 'gleaner-checkpoint-'));
const sandboxes: SandboxProcess[] = [];
const aSandbox = () => {
  const sandbox = new SandboxProcess({ checkpointDirectory: directory });
  sandboxes.push(sandbox);
  return sandbox;
};
afterAll(async () => {
  await Promise.all(sandboxes.map((sandbox) => sandbox.close()));
  rmSync(directory, { recursive: true });
});

const STEPS = 120;
const module = steppingApp(400_000);
const unit = aUnit(module, {
  inputs: { a: { kind: 'bytes', bytes: Uint8Array.from({ length: STEPS }, (_, i) => i) } },
  outputs: ['stdout', 'log'],
  limits: { maxCycles: 10n ** 10n, outputBytes: 100_000 },
});
const essence = ({ outcome, cycles, outputs }: UnitResult) => ({
  outcome,
  cycles,
  outputs: outputs.map(({ name, size, sha256 }) => [name, size, sha256]),
});

describe('a stepping app', () => {
  it('goes on from its snapshot in another process with the same digest and cycles', async () => {
    const whole = await aSandbox().run(unit);
    expect(whole).toMatchObject({ outcome: 'ok' });
    expect(whole.outputs.map(({ name, size }) => [name, size])).toEqual([
      ['log', 24 * STEPS],
      ['stdout', 36 * STEPS],
    ]);

    const checkpoint = { path: join(directory, 'unit'), everyMs: 1 };
    const first = aSandbox();
    const stop = new AbortController();
    const stopped = first.run(unit, {
      checkpoint,
      signal: stop.signal,
      onProgress: () => existsSync(checkpoint.path) && stop.abort(),
    });
    await expect(stopped).rejects.toThrow('aborted');

    const resumed = await aSandbox().run(unit, { checkpoint });
    expect(essence(resumed)).toEqual(essence(whole));
    expect(resumed.resumedCycles).toBeGreaterThan(0n);
    expect(resumed.resumedCycles).toBeLessThan(whole.cycles);
    expect(existsSync(checkpoint.path)).toBe(false);
  });

  it('is kept and ends when it is suspended, even while it is paused, and goes on from that very step', async () => {
    const sandbox = aSandbox();
    const checkpoint = { path: join(directory, 'suspended') };
    const suspend = new AbortController();
    let toldCycles = 0n;
    const suspended = sandbox.run(unit, {
      checkpoint,
      suspend: suspend.signal,
      onProgress: ({ cycles }) => {
        toldCycles = cycles ?? 0n;
        sandbox.pause();
        suspend.abort(new Error('see you tomorrow'));
      },
    });
    await expect(suspended).rejects.toThrow('see you tomorrow');
    sandbox.resume();

    const resumed = await aSandbox().run(unit, { checkpoint });
    expect(resumed.resumedCycles).toBeGreaterThanOrEqual(toldCycles);
    expect(essence(resumed)).toEqual(essence(await sandbox.run(unit)));
  });

  it('that cannot be kept goes on when it is to be suspended', async () => {
    const suspend = new AbortController();
    const result = await aSandbox().run(unit, {
      suspend: suspend.signal,
      onProgress: () => suspend.abort(new Error('see you tomorrow')),
    });
    expect(result.outcome).toBe('ok');
  });

  it('that cannot be kept in its file says so once, and ends as any other', async () => {
    const told: Array<string | null> = [];
    const result = await aSandbox().run(unit, {
      checkpoint: { path: join(directory, 'nowhere', 'unit'), everyMs: 1 },
      onCheckpointTrouble: (reason) => told.push(reason),
    });
    expect(result.outcome).toBe('ok');
    expect(told).toEqual([expect.stringMatching(/^ENOENT: no such file or directory/)]);
  });

  it('whose snapshot cannot be removed ends as any other, as on a disk that only reads', async () => {
    const path = join(directory, 'stays');
    mkdirSync(path);
    const result = await aSandbox().run(unit, { checkpoint: { path } });
    expect(result).toMatchObject({ outcome: 'ok', message: null });
  });

  it('gives its snapshots to the caller where there is no file, each of which leads to the same result', async () => {
    const snapshots: Uint8Array[] = [];
    const onSnapshot = (snapshot: Uint8Array) => snapshots.push(snapshot);
    const sandbox = aSandbox();
    const whole = await sandbox.run(unit, { checkpoint: { from: null, onSnapshot, everyMs: 20 } });
    expect(snapshots.length).toBeGreaterThan(2);
    for (const from of [snapshots[0], snapshots.at(-1)]) {
      const resumed = await sandbox.run(unit, { checkpoint: { from: from ?? null, onSnapshot: () => {} } });
      expect(essence(resumed)).toEqual(essence(whole));
      expect(resumed.resumedCycles).toBeGreaterThan(0n);
    }
  });

  it('starts from the beginning where the snapshot is damaged or of another unit', async () => {
    const snapshots: Uint8Array[] = [];
    const sandbox = aSandbox();
    const onSnapshot = (snapshot: Uint8Array) => snapshots.push(snapshot);
    const whole = await sandbox.run(unit, { checkpoint: { from: null, onSnapshot, everyMs: 20 } });
    const snapshot = snapshots[0] ?? new Uint8Array(0);

    const cut = await sandbox.run(unit, {
      checkpoint: { from: snapshot.slice(0, -10), onSnapshot: () => {} },
    });
    expect(cut.resumedCycles).toBeUndefined();
    expect(essence(cut)).toEqual(essence(whole));
    const other = { ...unit, args: ['other'] };
    const others = await sandbox.run(other, { checkpoint: { from: snapshot, onSnapshot: () => {} } });
    expect(others.resumedCycles).toBeUndefined();

    const path = join(directory, 'damaged');
    writeFileSync(path, snapshot);
    const damaged = readFileSync(path);
    damaged[damaged.length - 1]! ^= 1;
    writeFileSync(path, damaged);
    const fromFile = await sandbox.run(unit, { checkpoint: { path } });
    expect(fromFile.resumedCycles).toBeUndefined();
    expect(essence(fromFile)).toEqual(essence(whole));
  });

  it('that answers below zero fails with that code', async () => {
    const failing = '(module (memory 1) (func (export "gleaner_step") (result i32) (i32.const -5)))';
    expect(await aSandbox().run(aUnit(admittedText(failing)))).toMatchObject({
      outcome: 'exit',
      exitCode: 5,
    });
  });

  it('that never finishes runs out of cycles', async () => {
    const endless = '(module (memory 1) (func (export "gleaner_step") (result i32) (i32.const 1)))';
    const result = await aSandbox().run(aUnit(admittedText(endless), { limits: { maxCycles: 10_000n } }));
    expect(result).toMatchObject({ outcome: 'cycle-limit', cycles: 10_000n });
  });
});
