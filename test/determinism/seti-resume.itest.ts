import { execFileSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateTape } from '@gleaner/example-seti-classic';
import { admitModule } from '@gleaner/sandbox/admission';
import { SandboxProcess, type UnitResult, type UnitToRun } from '@gleaner/sandbox/runner';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const examples = new URL('../../examples/', import.meta.url);
const directory = mkdtempSync(join(tmpdir(), 'gleaner-seti-'));
beforeAll(() => void execFileSync(process.execPath, [fileURLToPath(new URL('build.mjs', examples))]));
afterAll(() => rmSync(directory, { recursive: true }));

describe('SETI Classic', () => {
  it('killed in the middle and resumed in another process gives the same digest and cycles', async () => {
    const unit = aSearch();
    await using whole = disposable(new SandboxProcess());
    const expected = await whole.sandbox.run(unit);
    expect(expected.outcome).toBe('ok');

    const checkpoint = { path: join(directory, 'snapshot'), everyMs: 200 };
    await using first = disposable(new SandboxProcess({ checkpointDirectory: directory }));
    const running = first.sandbox.run(unit, {
      checkpoint,
      onProgress: () => {
        if (!existsSync(checkpoint.path)) return;
        process.kill(first.sandbox.pid ?? 0, 'SIGKILL');
      },
    });
    expect((await running).outcome).toBe('infrastructure');

    await using second = disposable(new SandboxProcess({ checkpointDirectory: directory }));
    const resumed = await second.sandbox.run(unit, { checkpoint });
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
    // Long enough that a snapshot is on a slow disk well before the end.
    args: ['/input/tape', '560', '800'],
    env: {},
    inputs: { tape: { kind: 'bytes', bytes: tones.bytes } },
    outputs: ['stdout'],
    limits: { maxCycles: 10n ** 12n, memoryMiB: 64, outputBytes: 1_000_000, wallMs: 100_000 },
    seed: '22'.repeat(32),
  };
}

function disposable(sandbox: SandboxProcess) {
  return { sandbox, [Symbol.asyncDispose]: () => sandbox.close() };
}

function essence({ outcome, cycles, outputs }: UnitResult) {
  return { outcome, cycles, outputs: outputs.map(({ name, size, sha256 }) => ({ name, size, sha256 })) };
}
