import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const SDK = fileURLToPath(new URL('../../../libs/app-sdk', import.meta.url));
const NUMBER = 'export const NUMBER: i32 = ';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gleaner-build-app-'));
  await mkdir(join(directory, 'node_modules', '@gleaner'), { recursive: true });
  await symlink(SDK, join(directory, 'node_modules', '@gleaner', 'app-sdk'));
});
afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

describe('gleaner-build-app', () => {
  it('compiles another source into the same module', async () => {
    await source('one/index.ts', printing('1'));
    await source('one/two.ts', printing('2'));
    await build('one/index.ts', '-o', 'one.wasm');
    const first = await moduleBytes('one.wasm');
    const { stderr } = await build('one/two.ts', '-o', 'one.wasm');
    expect(stderr).toMatch(/one\.wasm built$/m);
    expect((await moduleBytes('one.wasm')).equals(first)).toBe(false);
  });

  it('compiles again when a source outside the folder of the entry has changed, and else does not', async () => {
    await source('shared/number.ts', `${NUMBER}1;`);
    await source('app/index.ts', `import { NUMBER } from '../shared/number';\n${printing('NUMBER')}`);
    const command = ['app/index.ts', '-o', 'app.wasm'] as const;
    await build(...command);
    const first = await moduleBytes('app.wasm');
    expect((await build(...command)).stderr).toMatch(/app\.wasm is up to date$/m);
    await source('shared/number.ts', `${NUMBER}2;`);
    expect((await build(...command)).stderr).toMatch(/app\.wasm built$/m);
    expect((await moduleBytes('app.wasm')).equals(first)).toBe(false);
  });

  it('says where an app does not compile, and nothing about itself', async () => {
    await source('wrong.ts', 'export const a: i32 = b;');
    const { code, stderr } = await build('wrong.ts', '-o', 'wrong.wasm');
    expect(code).toBe(1);
    expect(stderr).toContain("Cannot find name 'b'");
    expect(stderr).toContain('wrong.ts(1,23)');
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it.each([
    { args: ['absent.ts', '-o', 'a.wasm'], code: 1, said: /absent\.ts cannot be read/ },
    { args: ['wrong.ts'], code: 2, said: /^usage: gleaner-build-app ENTRY\.ts -o APP\.wasm$/ },
    { args: ['--optimise', 'wrong.ts', '-o', 'a.wasm'], code: 2, said: /^usage: / },
    { args: ['--help'], code: 0, said: /^usage: / },
  ])('answers $args in one line', async ({ args, code, said }) => {
    const answer = await build(...args);
    expect(answer.code).toBe(code);
    expect(answer.stderr.trimEnd()).toMatch(said);
    expect(answer.stderr.trimEnd()).not.toContain('\n');
  });
});

const printing = (number: string) =>
  `import { stdout } from '@gleaner/app-sdk/assembly';\nstdout.integer(${number}).line('');\nstdout.flush();\n`;

async function source(path: string, text: string): Promise<void> {
  await mkdir(join(directory, path, '..'), { recursive: true });
  await writeFile(join(directory, path), text);
}

async function moduleBytes(path: string): Promise<Buffer> {
  return await readFile(join(directory, path));
}

async function build(...args: string[]): Promise<{ code: number; stderr: string }> {
  const running = promisify(execFile)(process.execPath, [join(SDK, 'build.mjs'), ...args], {
    cwd: directory,
  });
  const code = new Promise<number>((resolve) => running.child.once('exit', (value) => resolve(value ?? -1)));
  const { stderr } = await running.catch((error: unknown) => error as { stderr: string });
  return { code: await code, stderr };
}
