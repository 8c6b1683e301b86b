// What every npm script starts: prepare the checkout, then run the program on the project's own Node.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bootstrap, programEnvironment, root } from './bootstrap.mjs';

const parentWatchMs = 1000;
/** Whoever started this; as long as the checkout is prepared it may be gone as well. */
const parent = process.ppid;
/** Programs whose arguments name files: npm starts a script in its package, wherever the person stands who asked for it. */
const namingFiles = new Set(['demo', 'gleaner', 'pack-agent']);
/** Programs that end when this channel closes, so that even killing this process leaves nothing behind. */
const watchingTheirParent = new Set(['demo', 'gleaner']);

const programs = {
  demo: (args) => [join(root, 'apps/cli/dist/main.js'), 'demo', ...args],
  gleaner: (args) => [join(root, 'apps/cli/dist/main.js'), ...args],
  test: (args) => [
    join(root, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--reporter=default',
    `--reporter=${join(root, 'scripts/count-reporter.mjs')}`,
    ...args,
  ],
  check: (args) => [join(root, 'scripts/check.mjs'), ...args],
  format: (args) => [
    join(root, 'node_modules/prettier/bin/prettier.cjs'),
    '--write',
    '--log-level=warn',
    ...(args.length > 0 ? args : ['.']),
  ],
  bench: ([name, ...args]) => [join(root, 'test/dist/bench', `${name}.js`), ...args],
  web: ([name, ...args]) => [join(root, 'test/dist/web', `${name}.js`), ...args],
  'pack-agent': (args) => [join(root, 'scripts/pack-agent.mjs'), ...args],
  conformance: ([name, ...args]) => [join(root, 'test/dist/conformance', `${name}.js`), ...args],
};

const [name, ...args] = process.argv.slice(2);
if (name === 'build') {
  await bootstrap();
} else if (name !== undefined && Object.hasOwn(programs, name)) {
  const node = await bootstrap();
  await runProgram(node, programs[name](args), {
    withChannel: watchingTheirParent.has(name),
    ...(namingFiles.has(name) && existsSync(process.env.INIT_CWD ?? '') && { cwd: process.env.INIT_CWD }),
  });
} else {
  console.error(`gleaner: usage: run.mjs build|${Object.keys(programs).join('|')} [ARGUMENT…]`);
  process.exit(2);
}

/** Ends as the program ends; a signal to this process, or the death of its parent, ends the program too. */
async function runProgram(node, programArgs, { withChannel, cwd }) {
  const stdio = ['inherit', 'inherit', 'inherit', ...(withChannel ? ['ipc'] : [])];
  const child = spawn(node, programArgs, { env: programEnvironment(), stdio, cwd });
  // From a terminal the program gets Ctrl-C itself; here it must only not end this process first.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  const parentWatch = setInterval(() => {
    if (process.ppid !== parent) child.kill('SIGTERM');
  }, parentWatchMs);
  parentWatch.unref();
  const { code, signal } = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (exitCode, exitSignal) => resolve({ code: exitCode, signal: exitSignal }));
  });
  process.exitCode = signal === null ? code : 128 + (signal === 'SIGINT' ? 2 : 15);
}
