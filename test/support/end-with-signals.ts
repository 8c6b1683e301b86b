import { setTimeout as delay } from 'node:timers/promises';
import type { TestProject } from 'vitest/node';
import { childrenOf, processFile, processTree } from './process-tree.js';

/** What ends a test run from outside, with the exit code that shells expect then. */
const EXIT_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
/** What an agent, a coordinator or a Postgres may take to end in order; then it is killed. */
const ENDING_MS = 10_000;
const POLL_MS = 50;
const INSTALLED = Symbol.for('gleaner.tests-end-with-signals');

/**
 * Ctrl-C, SIGTERM and a closed terminal end the run with everything that its tests started; by itself vitest would leave the
 * servers of the run, and what the tests had started, without anybody who ends them. One for all projects of the run.
 */
export default function setup({ vitest }: TestProject): void {
  if (Reflect.has(globalThis, INSTALLED)) return;
  Reflect.set(globalThis, INSTALLED, true);
  let isEnding = false;
  for (const [signal, exitCode] of Object.entries(EXIT_CODES)) {
    // Those of vitest and of Vite end the process within a millisecond or so, while what the tests started is still ending.
    process.removeAllListeners(signal);
    process.on(signal, () => {
      // From a terminal the same signal may come twice, from the terminal and from npm.
      if (isEnding) return;
      isEnding = true;
      process.stderr.write(`\n${signal}: ending the tests and what they started …\n`);
      // No other file is begun when the processes of the tests end.
      void vitest.cancelCurrentRun('keyboard-input');
      void endDescendants().finally(() => process.exit(exitCode));
    });
  }
}

async function endDescendants(): Promise<void> {
  // What runs the tests goes first, so that it starts nothing more; as long as it is there, its children are known as such.
  const workers = childrenOf(process.pid).filter(runsTests);
  for (const pid of workers) send(pid, 'SIGSTOP');
  let left = processTree(process.pid).filter((pid) => pid !== process.pid);
  for (const pid of left) send(pid, workers.includes(pid) ? 'SIGKILL' : 'SIGINT');
  for (const untilMs = performance.now() + ENDING_MS; left.length > 0; await delay(POLL_MS)) {
    if (performance.now() > untilMs) for (const pid of left) send(pid, 'SIGKILL');
    left = left.filter(isRunning);
  }
}

function runsTests(pid: number): boolean {
  return processFile(pid, 'cmdline').includes('vitest');
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // One that has ended and that nobody has asked about is still in the table.
  return !/\) [ZX] /.test(processFile(pid, 'stat'));
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}
