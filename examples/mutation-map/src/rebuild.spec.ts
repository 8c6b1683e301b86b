import { hash } from 'node:crypto';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { MUTATION_MAP_WASM_PATH } from './index.js';

/** The compiler whose output is committed: others write other bytes. */
const COMPILER = 'Debian clang version 14.0.6';
const WASI_LIBC = '/usr/include/wasm32-wasi/stdio.h';

const compilerVersion = spawnSync('clang', ['--version'], { encoding: 'utf8' }).stdout?.split('\n')[0] ?? '';
const canRebuild = compilerVersion.startsWith(COMPILER) && existsSync(WASI_LIBC) && hasLinker();
if (!canRebuild) console.warn(`skipped: rebuilding mutation-map needs ${COMPILER}, lld and wasi-libc`);

describe('the committed module of mutation-map', () => {
  it('is the one whose hash is committed', () => {
    const [expected] = readFileSync(`${MUTATION_MAP_WASM_PATH}.sha256`, 'utf8').split(' ');
    expect(hash('sha256', readFileSync(MUTATION_MAP_WASM_PATH))).toBe(expected);
  });

  it.skipIf(!canRebuild)('is what the committed sources compile to', () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'mutation-map-'));
    try {
      const rebuilt = path.join(directory, 'mutation-map.wasm');
      execFileSync(fileURLToPath(new URL('../build.sh', import.meta.url)), [rebuilt]);
      expect(hash('sha256', readFileSync(rebuilt))).toBe(
        hash('sha256', readFileSync(MUTATION_MAP_WASM_PATH)),
      );
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

function hasLinker(): boolean {
  return (
    spawnSync('wasm-ld-14', ['--version']).status === 0 || spawnSync('wasm-ld', ['--version']).status === 0
  );
}
