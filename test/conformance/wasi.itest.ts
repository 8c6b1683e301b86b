import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isComponent, listWasiPrograms, readWasiCase } from './wasi-cases.js';
import { checkWasiCase } from './wasi-check.js';

const programs = await listWasiPrograms(join(import.meta.dirname, 'wasi-cases'));
const cases = await Promise.all(programs.map(readWasiCase));

describe('WASI programs on rewritten modules', () => {
  it.each(cases.map((wasiCase) => [wasiCase.name, wasiCase] as const))(
    '%s passes',
    async (_name, wasiCase) => {
      expect(await checkWasiCase(wasiCase)).toEqual([]);
    },
  );

  it('may be described as the suite did before and does now', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gleaner-wasi-'));
    const program = join(folder, 'program.wasm');
    const describedAs = async (json: unknown) => {
      await writeFile(join(folder, 'program.json'), JSON.stringify(json));
      return readWasiCase(program);
    };
    try {
      await copyFile(join(import.meta.dirname, 'wasi-cases', 'arguments.wasm'), program);
      const conversation = await describedAs({
        operations: [
          { type: 'run', args: ['42', 'two words', 'ünï'], env: { GREETING: 'hello' } },
          { type: 'read', id: 'stdout', payload: '42|two words|ünï|hello\n' },
          { type: 'wait', exit_code: 42 },
        ],
      });
      expect(conversation.expected).toMatchObject({ exit_code: 42, stdout: '42|two words|ünï|hello\n' });
      expect(await checkWasiCase(conversation)).toEqual([]);
      const older = await describedAs({ root: null, dirs: ['fs.dir'] });
      expect(older.folders).toEqual([{ name: 'fs.dir', path: join(folder, 'fs.dir') }]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('are found below the directory, may leave fields null, and get the links of their folder', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gleaner-wasi-'));
    try {
      await mkdir(join(folder, 'c', 'tree', 'sub'), { recursive: true });
      await copyFile(join(import.meta.dirname, 'wasi-cases', 'lines.wasm'), join(folder, 'c', 'lines.wasm'));
      await writeFile(join(folder, 'c', 'tree', 'real.txt'), 'one\ntwo\nthree\n');
      await writeFile(join(folder, 'c', 'tree', 'sub', 'deep.txt'), '');
      await symlink('real.txt', join(folder, 'c', 'tree', 'lines.txt'));
      const description = {
        args: null,
        env: null,
        root: 'tree',
        exit_code: null,
        stdout: null,
        stderr: null,
      };
      await writeFile(join(folder, 'c', 'lines.json'), JSON.stringify(description));
      await writeFile(join(folder, 'c', 'none.wasm'), Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0));
      const [lines = '', component = '', ...others] = await listWasiPrograms(folder);
      expect([lines, component, ...others].map((path) => relative(folder, path))).toEqual([
        join('c', 'lines.wasm'),
        join('c', 'none.wasm'),
      ]);
      expect([await isComponent(lines), await isComponent(component)]).toEqual([false, true]);
      expect(await checkWasiCase(await readWasiCase(lines))).toEqual([]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('are told apart from what was expected of them', async () => {
    const [first] = cases;
    if (first === undefined) throw new Error('there are no cases');
    const failures = await checkWasiCase({
      ...first,
      expected: { ...first.expected, exit_code: 9, stdout: 'other' },
    });
    expect(failures.slice(0, 2)).toEqual([
      `exit code ${first.expected.exit_code}, not 9`,
      expect.stringMatching(/^stdout ".*", not "other"$/),
    ]);
  });
});
