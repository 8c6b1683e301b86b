import { hash } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { bytesOfText } from '../testing/text-module.js';
import { aUnit } from '../testing/units.js';
import { SandboxProcess } from './sandbox-process.js';

const HELLO = bytesOfText(`(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "__gleaner_memory") 1)
  (global (export "__gleaner_cycles") (mut i64) (i64.const 0))
  (global (export "__gleaner_stop") (mut i32) (i32.const 0))
  (data (i32.const 100) "hello\\n")
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 100))
    (i32.store (i32.const 4) (i32.const 6))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))`);

describe('SandboxProcess', () => {
  const sandbox = new SandboxProcess();
  afterAll(() => sandbox.close());

  it('runs a command and gives its outcome, outputs and cycles', async () => {
    const result = await sandbox.run(aUnit(HELLO));
    expect(result).toMatchObject({ outcome: 'ok', exitCode: 0, trapKind: null, cycles: 1n });
    expect(result.outputs.map(({ name, bytes }) => [name, new TextDecoder().decode(bytes)])).toEqual([
      ['stdout', 'hello\n'],
    ]);
    expect(result.outputs[0]?.sha256).toBe(hash('sha256', 'hello\n'));
  });

  it('refuses a module that is not the one that was announced', async () => {
    const result = await sandbox.run(aUnit(HELLO, { moduleSha256: '00'.repeat(32) }));
    expect(result.outcome).toBe('infrastructure');
    expect(result.message).toContain('SHA-256');
  });

  it('runs units handed in together in order', async () => {
    const results = await Promise.all(Array.from({ length: 300 }, () => sandbox.run(aUnit(HELLO))));
    expect(results.every(({ outcome }) => outcome === 'ok')).toBe(true);
  });
});
