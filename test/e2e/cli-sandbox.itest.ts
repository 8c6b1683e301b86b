import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import binaryen from 'assemblyscript/binaryen';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gleaner } from './cli-support/cli-process.js';

/** Copies /input/text to stdout. */
const ECHO = `(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2 32)
  (data (i32.const 0) "input/text")
  (func (export "_start")
    (drop (call $path_open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 10) (i32.const 0)
      (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 16)))
    (i32.store (i32.const 32) (i32.const 64)) (i32.store (i32.const 36) (i32.const 100))
    (drop (call $fd_read (i32.load (i32.const 16)) (i32.const 32) (i32.const 1) (i32.const 36)))
    (drop (call $fd_write (i32.const 1) (i32.const 32) (i32.const 1) (i32.const 20)))))`;

let directory: string;
let app: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gleaner-sandbox-'));
  app = join(directory, 'echo.wasm');
  const module = binaryen.parseText(ECHO);
  await writeFile(app, module.emitBinary());
  module.dispose();
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe('gleaner without a coordinator', () => {
  it('reports what an app is, its memory included', async () => {
    const { code, stdout, stderr } = await gleaner(['app', 'check', app]);
    expect(stdout).toContain('is admitted');
    expect(stderr).toContain('memory: 0.125 MiB at the start, at most 2 MiB');
    expect(code).toBe(0);
  });

  it('runs an app whose process may read the directories of its inputs only', async () => {
    const input = join(directory, 'text');
    await writeFile(input, 'what the app reads');
    const { code, stdout } = await gleaner(['sandbox', 'run', app, '--input', `text=${input}`]);
    expect(stdout).toBe('what the app reads');
    expect(code).toBe(0);
  });
});
