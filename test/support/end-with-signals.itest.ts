import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { processFile, processTree } from './process-tree.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** A suite in which agents compute, each with a sandbox, for a coordinator in the process of the tests. */
const SUITE = 'test/e2e/agent-crash.itest.ts';

/** What `npm test` runs, in a process group of its own as in a terminal. */
function startTests() {
  const env = Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST'));
  return spawn(
    process.execPath,
    [`${root}/node_modules/vitest/vitest.mjs`, 'run', '--project', 'integration', SUITE],
    { cwd: root, env: Object.fromEntries(env), stdio: 'ignore', detached: true },
  );
}

function isRunning(pid: number): boolean {
  const stat = processFile(pid, 'stat');
  return stat !== '' && !/\) [ZX] /.test(stat);
}

it.each([
  ['Ctrl-C', 'SIGINT', true, 130],
  ['SIGTERM', 'SIGTERM', false, 143],
] as const)(
  'by %s a test run leaves no process behind, whatever its tests have started',
  async (_how, signal, toAll, exitCode) => {
    const run = startTests();
    const pid = run.pid ?? 0;
    const exited = once(run, 'exit');
    const started = () => processTree(pid).map((each) => processFile(each, 'cmdline'));
    try {
      for (const program of ['postgres', 'apps/agent/dist/main.js', 'node-child'])
        await expect.poll(started, { timeout: 90_000 }).toContainEqual(expect.stringContaining(program));
      const before = processTree(pid);
      process.kill(toAll ? -pid : pid, signal);
      expect(await exited).toEqual([exitCode, null]);
      expect(before.filter(isRunning)).toEqual([]);
    } finally {
      run.kill('SIGKILL');
    }
  },
);
