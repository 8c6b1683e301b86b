import { execFileSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { generateTape } from '@gleaner/example-seti-classic';
import { admitModule } from '@gleaner/sandbox/admission';
import { SandboxProcess, type UnitResult, type UnitToRun } from '@gleaner/sandbox/runner';
import { beforeAll, describe, expect, it } from 'vitest';

const examples = new URL('../../examples/', import.meta.url);
beforeAll(() => void execFileSync(process.execPath, [fileURLToPath(new URL('build.mjs', examples))]));

/** Three times some seconds of a core at the lowest priority: minutes where the machine is busy with other things. */
const LONG = { timeout: 600_000 };

describe('SETI Classic', LONG, () => {
  it('killed in the middle and resumed in another process gives the same digest and cycles', async () => {
    const unit = aSearch();
    await using whole = disposable(new SandboxProcess());
    const expected = await whole.sandbox.run(unit);
    expect(expected.outcome).toBe('ok');

    await using first = disposable(new SandboxProcess());
    let kept: Uint8Array | null = null;
    // A snapshot that comes as a message is here before the unit can end, however slow the disk is.
    const onSnapshot = (snapshot: Uint8Array) => {
      kept ??= snapshot;
      process.kill(first.sandbox.pid ?? 0, 'SIGKILL');
    };
    const killed = await first.sandbox.run(unit, { checkpoint: { from: null, onSnapshot, everyMs: 200 } });
    expect(killed.outcome).toBe('infrastructure');

    await using second = disposable(new SandboxProcess());
    const resumed = await second.sandbox.run(unit, { checkpoint: { from: kept, onSnapshot: () => {} } });
    expect(essence(resumed)).toEqual(essence(expected));
    expect(Number(resumed.resumedCycles) / Number(expected.cycles)).toBeGreaterThan(0.02);
  });
});

function aSearch(): UnitToRun {
  const tones = generateTape({ seed: 3, tones: [] });
  const admission = admitModule(
    new Uint8Array(readFileSync(new URL('seti-classic/build/seti-classic.wasm', examples))),
  );
  if (!admission.admitted) throw new Error(admission.errors[0]?.message);
  return {
    module: { kind: 'bytes', bytes: admission.module },
    moduleSha256: hash('sha256', admission.module),
    appName: 'seti-classic',
    // Long enough that the first snapshot is due well before the end.
    args: ['/input/tape', '560', '800'],
    env: {},
    inputs: { tape: { kind: 'bytes', bytes: tones.bytes } },
    outputs: ['stdout'],
    limits: { maxCycles: 10n ** 12n, memoryMiB: 64, outputBytes: 1_000_000, wallMs: 500_000 },
    seed: '22'.repeat(32),
  };
}

function disposable(sandbox: SandboxProcess) {
  return { sandbox, [Symbol.asyncDispose]: () => sandbox.close() };
}

function essence({ outcome, cycles, outputs }: UnitResult) {
  return { outcome, cycles, outputs: outputs.map(({ name, size, sha256 }) => ({ name, size, sha256 })) };
}
