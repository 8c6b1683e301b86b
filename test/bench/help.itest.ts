import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { z } from 'zod';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { scripts } = z
  .object({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(readFileSync(`${root}/package.json`, 'utf8')));
const commands = Object.entries(scripts)
  .filter(([name]) => /^(bench|fuzz|conformance):/.test(name))
  .map(([name, text]) => [name, ...text.split(' ').slice(-2)] as [string, string, string]);

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The compiled program of an npm script, without the bootstrap before it. */
async function run(folder: string, program: string, ...args: string[]): Promise<Ended> {
  const main = `${root}/test/dist/${folder}/${program}.js`;
  try {
    return { code: 0, ...(await promisify(execFile)(process.execPath, [main, ...args])) };
  } catch (error) {
    return z.object({ code: z.number(), stdout: z.string(), stderr: z.string() }).parse(error);
  }
}

it('every benchmark, fuzzer and conformance suite is looked at', () => {
  expect(commands.length).toBeGreaterThanOrEqual(9);
});

it.each(commands)('%s --help prints its options', async (name, folder, program) => {
  const { code, stdout, stderr } = await run(folder, program, '--help');
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toContain(`npm run ${name} -- `);
  expect(stdout).toContain('--help');
});

it('an option that a command does not know is refused with those that it knows', async () => {
  const { code, stdout, stderr } = await run('bench', 'fuzz-swarm', '--sideways');
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain('--sideways');
  expect(stderr).toContain('npm run fuzz:swarm -- ');
});
