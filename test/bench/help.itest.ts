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
  .filter(([name]) => /^(bench:|fuzz:|conformance:|budget$|screenshots$)/.test(name))
  .map(([name, text]) => [name, ...text.split(' ').slice(-2)] as [string, string, string]);

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The compiled program of an npm script, without the bootstrap before it. */
async function run(folder: string, program: string, ...args: string[]): Promise<Ended> {
  return await ended([`${root}/test/dist/${folder}/${program}.js`, ...args]);
}

async function ended(args: readonly string[]): Promise<Ended> {
  try {
    return { code: 0, ...(await promisify(execFile)(process.execPath, [...args])) };
  } catch (error) {
    return z.object({ code: z.number(), stdout: z.string(), stderr: z.string() }).parse(error);
  }
}

it('every benchmark, fuzzer and conformance suite is looked at', () => {
  expect(commands.length).toBeGreaterThanOrEqual(11);
});

it.each(commands)('%s --help prints its options', async (name, folder, program) => {
  const { code, stdout, stderr } = await run(folder, program, '--help');
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toContain(`npm run ${name} -- `);
  expect(stdout).toContain('--help');
});

it('packing the agent makes no directory of an option', async () => {
  const pack = `${root}/scripts/pack-agent.mjs`;
  const asked = await ended([pack, '--help']);
  expect([asked.code, asked.stderr]).toEqual([0, '']);
  expect(asked.stdout).toContain('npm run pack:agent -- [DIRECTORY]');
  const misspelt = await ended([pack, '--out', 'DIRECTORY']);
  expect([misspelt.code, misspelt.stdout]).toEqual([2, '']);
  expect(misspelt.stderr).toContain('--out');
});

it.each([
  ['bench', 'fuzz-sandbox', '--seconds', 'abc'],
  ['bench', 'fuzz-sandbox', '--seed', 'abc'],
  ['bench', 'fuzz-swarm', '--seed', 'abc'],
  ['bench', 'sandbox', '--rounds', '0'],
  ['bench', 'sandbox', '--kernels', 'ftf'],
  ['bench', 'sandbox-seti', '--rounds', ''],
  ['bench', 'leaderboard', '--accounts', '1e3.5'],
  ['bench', 'agent', '--units', '101'],
  ['bench', 'swarm', '--leechers', '0'],
])('%s %s does not run for nothing with %s %j', async (folder, program, option, value) => {
  const { code, stdout, stderr } = await run(folder, program, option, value);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain(option);
  expect(stderr).toContain('--help');
});

it('an option that a command does not know is refused with those that it knows', async () => {
  const { code, stdout, stderr } = await run('bench', 'fuzz-swarm', '--sideways');
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain('--sideways');
  expect(stderr).toContain('npm run fuzz:swarm -- ');
});
