import { execFileSync } from 'node:child_process';
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AnswerFile } from './answer-file.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gleaner-answer-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

async function answerTo(path: string): Promise<void> {
  await using file = await AnswerFile.create(path);
  await file.write(Buffer.from('the '));
  await file.write(Buffer.from('answer\n'));
  await file.finish();
}

it('an answer appears when it is whole, and not at all when it is not', async () => {
  const path = join(directory, 'answer');
  await writeFile(path, 'of yesterday');
  {
    await using file = await AnswerFile.create(path);
    await file.write(Buffer.from('half of it'));
  }
  expect(await readFile(path, 'utf8')).toBe('of yesterday');
  await answerTo(path);
  expect(await readFile(path, 'utf8')).toBe('the answer\n');
  expect(await readdir(directory)).toEqual(['answer']);
});

it('a directory is refused before anything is computed', async () => {
  await mkdir(join(directory, 'results'));
  await expect(AnswerFile.create(join(directory, 'results'))).rejects.toThrow(/results: it is a directory$/);
  await expect(AnswerFile.create('')).rejects.toThrow('a file without a name');
  expect(await readdir(directory)).toEqual(['results']);
});

it('a link stays one: the answer is where it leads', async () => {
  await writeFile(join(directory, 'large-disk'), 'of yesterday');
  await symlink('large-disk', join(directory, 'answer'));
  await answerTo(join(directory, 'answer'));
  expect((await lstat(join(directory, 'answer'))).isSymbolicLink()).toBe(true);
  expect(await readFile(join(directory, 'large-disk'), 'utf8')).toBe('the answer\n');
});

it.skipIf(process.platform !== 'linux')(
  'a disk that is full is told with the file that it has no room for',
  async () => {
    await expect(answerTo('/dev/full')).rejects.toMatchObject({
      name: 'CliError',
      message: 'Cannot write /dev/full: ENOSPC: no space left on device, write',
      exitCode: 1,
    });
  },
);

it.skipIf(process.platform === 'win32')('a pipe gets it as it comes, and stays a pipe', async () => {
  const path = join(directory, 'pipe');
  execFileSync('mkfifo', [path]);
  const [read] = await Promise.all([readFile(path, 'utf8'), answerTo(path)]);
  expect(read).toBe('the answer\n');
  expect((await lstat(path)).isFIFO()).toBe(true);
  expect(await readdir(directory)).toEqual(['pipe']);
});
