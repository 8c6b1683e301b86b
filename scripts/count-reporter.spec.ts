import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const REPORTER = join(root, 'scripts/count-reporter.mjs');

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gleaner-reporter-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** The last lines of a run whose tests ended in these states. */
function lines(states: readonly string[], unhandledErrors = 0): string[] {
  const program = join(directory, 'run.mjs');
  writeFileSync(
    program,
    `import CountReporter from ${JSON.stringify(pathToFileURL(REPORTER).href)};
     const tests = ${JSON.stringify(states)}.map((state) => ({ result: () => ({ state }) }));
     const module = { errors: () => [], children: { allTests: () => tests } };
     new CountReporter().onTestRunEnd([module], new Array(${unhandledErrors}).fill({}));
     console.log('late output');`,
  );
  const { stdout } = spawnSync(process.execPath, [program], { encoding: 'utf8' });
  return stdout.trimEnd().split('\n');
}

it('the last line of a run counts what passed and what failed', () => {
  expect(lines(['passed', 'passed', 'failed'])).toEqual(['late output', '2 passed, 1 failed']);
  expect(lines(['passed'], 2).at(-1)).toBe('1 passed, 2 failed');
});

it('what was skipped is counted on the line before, so that the last one always has the same form', () => {
  expect(lines(['passed', 'skipped', 'pending'])).toEqual(['late output', '2 skipped', '1 passed, 0 failed']);
});
