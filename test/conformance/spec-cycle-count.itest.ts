import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ABI, type AdmissionOptions, admitModule } from '@gleaner/sandbox/admission';
import { afterAll, describe, expect, it } from 'vitest';
import { CYCLE_PROGRAMS } from './spec-suite/cycle-programs.js';
import { cyclesOfTrace } from './spec-suite/trace-count.js';

const hasWabt = spawnSync('wasm-interp', ['--version']).status === 0;
if (!hasWabt) console.warn('SKIPPED: counting cycles independently needs wasm-interp (apt-get install wabt)');

const LIMIT = 1n << 40n;
const directory = mkdtempSync(join(tmpdir(), 'gleaner-cycles-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function assemble(name: string, source: string): { readonly path: string; readonly bytes: Uint8Array } {
  const path = join(directory, `${name.replaceAll(/\W/g, '-')}.wasm`);
  writeFileSync(`${path}.wat`, `(module ${source})`);
  execFileSync('wat2wasm', [`${path}.wat`, '-o', path]);
  return { path, bytes: readFileSync(path) };
}

function countedCycles(bytes: Uint8Array, options: AdmissionOptions): bigint {
  const admission = admitModule(bytes, { profile: 'conformance', ...options });
  if (!admission.admitted) throw new Error(admission.errors[0]?.message);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(admission.module as BufferSource));
  const cycles = exports[ABI.cyclesLeft] as WebAssembly.Global;
  cycles.value = LIMIT;
  (exports['run'] as () => unknown)();
  return LIMIT - (cycles.value as bigint);
}

describe.skipIf(!hasWabt)('cycles counted by the module itself', () => {
  it.each(Object.entries(CYCLE_PROGRAMS))('equal those of an independent interpreter: %s', (name, source) => {
    const { path, bytes } = assemble(name, source);
    const trace = execFileSync('wasm-interp', [path, '--run-all-exports', '--trace'], { encoding: 'utf8' });
    const independent = cyclesOfTrace(trace);
    expect(independent).toBeGreaterThan(0n);
    expect(countedCycles(bytes, {})).toBe(independent);
    expect(countedCycles(bytes, { depth: false, nan: false })).toBe(independent);
  });
});
