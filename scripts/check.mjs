// Everything that must hold before a commit. The sources are compiled already (bootstrap), so types are checked when this starts.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from './bootstrap.mjs';

const bin = (name) => join(root, 'node_modules', '.bin', name);
const vitest = (...args) => ({
  command: process.execPath,
  args: [
    join(root, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--reporter=dot',
    `--reporter=${join(root, 'scripts/count-reporter.mjs')}`,
    ...args,
  ],
});
const steps = [
  { name: 'format', command: bin('prettier'), args: ['--check', '--log-level', 'warn', '.'] },
  { name: 'lint', command: bin('oxlint'), args: ['--type-aware', '--deny-warnings'] },
  {
    name: 'boundaries',
    command: bin('depcruise'),
    args: ['--config', '.dependency-cruiser.mjs', 'apps', 'libs', 'migrations', 'worker-sdk'],
  },
  { name: 'dead code', command: bin('knip'), args: [] },
  { name: 'schema drift', ...vitest('--project=integration', 'test/database/schema-drift') },
  { name: 'unit tests', ...vitest('--project=unit') },
];

console.log('types: clean');
const failed = [];
for (const { name, command, args } of steps) {
  console.log(`${name}: checking …`);
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  console.log(`${name}: ${status === 0 ? 'clean' : 'FAILED'}`);
  if (status !== 0) failed.push(name);
}
if (failed.length > 0) {
  console.error(`check failed: ${failed.join(', ')}`);
  process.exitCode = 1;
}
