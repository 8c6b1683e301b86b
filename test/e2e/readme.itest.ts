import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CliProcess } from './cli-support/cli-process.js';

const root = join(import.meta.dirname, '../..');

let temporary: string;
beforeEach(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'gleaner-readme-'));
  // As root Postgres runs as another user, who has to pass through here.
  await chmod(temporary, 0o711);
});
afterEach(async () => {
  await rm(temporary, { recursive: true, force: true });
});

/** The three commands of README.md's one `bash` block. */
async function readmeCommands(): Promise<string[]> {
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  const block = /```bash\n([^]*?)```/.exec(readme)?.[1] ?? '';
  return block.trimEnd().split('\n');
}

describe('README.md', () => {
  // Two searches, at the lowest priority: on a machine that is busy with other things that may be minutes.
  it('submits a job by three curl commands that work as they stand', { timeout: 600_000 }, async () => {
    const commands = await readmeCommands();
    expect(commands).toHaveLength(3);
    await using demo = new CliProcess(['demo', '--chirp=0:8', '--units', '2'], { TMPDIR: temporary });
    await demo.said('Ctrl-C ends the demo');
    const exported = /export GLEANER_URL=(\S+) GLEANER_TOKEN=(\S+)/.exec(demo.stderr);
    const env = { ...process.env, GLEANER_URL: exported?.[1], GLEANER_TOKEN: exported?.[2] };
    let answer = '';
    for (const command of commands) {
      const { stdout } = await promisify(execFile)('bash', ['-c', command], { cwd: root, env });
      answer = stdout;
    }
    const primes = answer
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { p: number; prime: boolean })
      .filter(({ prime }) => prime)
      .map(({ p }) => p);
    expect(primes).toEqual([2, 3, 5, 7, 13, 17, 19, 31, 61, 89, 107, 127, 521, 607, 1279, 2203, 2281]);
    demo.kill('SIGINT');
    expect((await demo.ended).code).toBe(0);
  });
});
