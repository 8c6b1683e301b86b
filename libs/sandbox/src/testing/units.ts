import { hash } from 'node:crypto';
import { admitModule } from '../admission/index.js';
import type { UnitLimits, UnitToRun } from '../runner/types.js';
import { bytesOfText } from './text-module.js';

/** For tests: the rewritten module of WebAssembly text; fails where it is not admitted. */
export function admittedText(text: string): Uint8Array {
  const admission = admitModule(bytesOfText(text));
  if (!admission.admitted) throw new Error(admission.errors.map(({ message }) => message).join('\n'));
  return admission.module;
}

/** For tests: a command with the given imports and functions; `_start` runs `body`. */
export function commandText(body: string, rest = ''): string {
  return `(module
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_open"
      (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (memory (export "memory") 1)
    ${rest}
    (func (export "_start") ${body}))`;
}

export type UnitOverrides = Partial<Omit<UnitToRun, 'limits'>> & { readonly limits?: Partial<UnitLimits> };

/** For tests: a unit of a rewritten module with small limits. */
export function aUnit(module: Uint8Array, { limits, ...overrides }: UnitOverrides = {}): UnitToRun {
  return {
    module: { kind: 'bytes', bytes: module },
    moduleSha256: hash('sha256', module),
    appName: 'app',
    args: [],
    env: {},
    inputs: {},
    outputs: ['stdout'],
    seed: '00'.repeat(32),
    ...overrides,
    limits: { maxCycles: 1_000_000n, memoryMiB: 4, outputBytes: 4096, wallMs: 60_000, ...limits },
  };
}

export function textOf(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes);
}
