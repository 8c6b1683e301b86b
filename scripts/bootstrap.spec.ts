import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const scripts = fileURLToPath(new URL('.', import.meta.url));
const installedNpm = (process.env['PATH'] ?? '')
  .split(delimiter)
  .map((directory) => join(directory, 'npm'))
  .find((path) => existsSync(path));
// npm starts its scripts with the path of its own program; these tests start without npm.
const npm = installedNpm === undefined ? '' : realpathSync(installedNpm);

/** A checkout that needs a Node of the future, as this one does for a system's Node that is old enough. */
let checkout: string;
beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), 'gleaner-bootstrap-'));
  cpSync(scripts, join(checkout, 'scripts'), { recursive: true });
  for (const folder of ['apps', 'libs', 'examples/future']) {
    mkdirSync(join(checkout, folder), { recursive: true });
  }
  const future = { name: 'future', version: '1.0.0', engines: { node: '>=999' } };
  const root = { name: 'checkout', version: '1.0.0', type: 'module', workspaces: ['examples/future'] };
  const packages = {
    '': root,
    'examples/future': future,
    'node_modules/future': { resolved: 'examples/future', link: true },
  };
  writeJson('package.json', root);
  writeJson('examples/future/package.json', future);
  writeJson('package-lock.json', { name: 'checkout', version: '1.0.0', lockfileVersion: 3, packages });
});
afterEach(() => rmSync(checkout, { recursive: true, force: true }));

function writeJson(path: string, value: unknown): void {
  writeFileSync(join(checkout, path), JSON.stringify(value));
}

/** What starts for `npm run build` in a fresh clone. */
function buildCommand(npmProgram: string) {
  const env = { ...process.env, npm_execpath: npmProgram };
  return [process.execPath, [join(checkout, 'scripts/run.mjs'), 'build'], { env }] as const;
}

/** What `npm run build` says in a fresh clone. */
function build(): string {
  const [command, args, options] = buildCommand(npm);
  return spawnSync(command, args, { ...options, encoding: 'utf8' }).stderr;
}

/** A program of the checkout, which can say that it runs. */
function writeProgram(path: string, source: string): void {
  const announce = 'const announce = (name) => writeFileSync(`${name}.pid`, `${process.pid}.`);';
  mkdirSync(dirname(join(checkout, path)), { recursive: true });
  writeFileSync(
    join(checkout, path),
    `import { existsSync, writeFileSync } from 'node:fs';\n${announce}\n${source}\n`,
  );
}

/** 0 until the program has said it. */
function pidOf(name: string): number {
  const file = join(checkout, `${name}.pid`);
  return existsSync(file) ? Number(/^(\d+)\.$/.exec(readFileSync(file, 'utf8'))?.[1] ?? 0) : 0;
}

function endIfAlive(name: string): void {
  const pid = pidOf(name);
  if (pid > 0 && isAlive(pid)) process.kill(pid, 'SIGKILL');
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('a fresh clone', () => {
  it('installs without a warning about the Node that only installs', () => {
    const said = build();
    expect(said).toContain('gleaner: installing dependencies');
    expect(said).not.toContain('EBADENGINE');
    // It is as far as that: the Node that everything else runs on is none of this checkout's packages.
    expect(said).toContain('The dependency "node" was installed without its binary');
  });

  it('shows why it could not be installed', () => {
    // A missing file, since npm tries for more than a minute to reach a registry.
    const dependencies = { x: 'file:missing.tgz' };
    writeJson('examples/future/package.json', { name: 'future', version: '2.0.0', dependencies });
    const said = build();
    expect(said).toContain('npm error');
    expect(said).toMatch(/^gleaner: Could not install the dependencies \(exit code [1-9]\d*\)/m);
  });

  it.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('ends what it installs with when it is told to end by %s', async (signal, exitCode) => {
    writeProgram('npm.mjs', "announce('npm'); setInterval(() => {}, 1e6);");
    const build = spawn(...buildCommand(join(checkout, 'npm.mjs')));
    await expect.poll(() => pidOf('npm')).toBeGreaterThan(0);
    try {
      build.kill(signal);
      expect(await once(build, 'exit')).toEqual([exitCode, null]);
      expect(isAlive(pidOf('npm'))).toBe(false);
      // The next command need not find out that nobody holds it.
      expect(existsSync(join(checkout, '.gleaner/bootstrap.lock'))).toBe(false);
    } finally {
      endIfAlive('npm');
    }
  });
});

/** Leaves nothing to install; what compiles it, and what is started then, are these programs. */
function prepare(compiler: string, program: string): void {
  mkdirSync(join(checkout, 'node_modules/node/bin'), { recursive: true });
  symlinkSync(process.execPath, join(checkout, 'node_modules/node/bin/node'));
  writeProgram('node_modules/typescript/bin/tsc', compiler);
  writeProgram('apps/cli/dist/main.js', program);
  spawnSync(process.execPath, [join(checkout, 'scripts/bootstrap.mjs'), '--stamp']);
}

describe('a program of the checkout', () => {
  it('finds the files that are named where npm was called', () => {
    prepare('', "announce('program');");
    const env = { ...process.env, INIT_CWD: join(checkout, 'libs') };
    const command = [join(checkout, 'scripts/run.mjs'), 'gleaner', 'run', 'job.yaml'];
    expect(spawnSync(process.execPath, command, { cwd: checkout, env }).status).toBe(0);
    expect(existsSync(join(checkout, 'libs/program.pid'))).toBe(true);
  });
});

describe('a program whose starter is killed while the checkout is prepared', () => {
  it('does not go on without it', async () => {
    prepare(
      "announce('compiler'); while (!existsSync('go')) await new Promise((resolve) => setTimeout(resolve, 10));",
      "announce('program'); setInterval(() => {}, 1e6);",
    );
    // Something of which it is a child, as it is of npm.
    const starter = spawn('sh', ['-c', '"$0" "$1" demo; true', process.execPath, 'scripts/run.mjs'], {
      cwd: checkout,
      env: { ...process.env, INIT_CWD: checkout },
    });
    try {
      await expect.poll(() => pidOf('compiler')).toBeGreaterThan(0);
      starter.kill('SIGKILL');
      await once(starter, 'exit');
      writeFileSync(join(checkout, 'go'), '');
      await expect.poll(() => pidOf('program')).toBeGreaterThan(0);
      await expect.poll(() => isAlive(pidOf('program'))).toBe(false);
    } finally {
      for (const name of ['compiler', 'program']) endIfAlive(name);
    }
  });
});
