import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestApplication } from '../support/index.js';
import { helloModule } from './agent-support/tiny-modules.js';
import { anApprovedApp, completeJob } from './volunteering/science.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PACKAGES = ['libs/protocol', 'libs/domain', 'libs/sandbox', 'libs/swarm', 'worker-sdk'];
const run = promisify(execFile);

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly engines: { readonly node: string };
  readonly exports: Readonly<Record<string, { readonly types: string; readonly default: string }>>;
  readonly dependencies?: Readonly<Record<string, string>>;
}

let directory: string;
let installed: string;

/** A program's directory with the packed packages, and everything else as the registry would give it. */
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gleaner-sdk-'));
  installed = join(directory, 'node_modules');
  await mkdir(join(installed, '@gleaner'), { recursive: true });
  for (const name of await readdir(join(ROOT, 'node_modules'))) {
    if (name.startsWith('.') || name === '@gleaner') continue;
    await symlink(join(ROOT, 'node_modules', name), join(installed, name));
  }
  for (const path of PACKAGES) {
    const args = ['pack', '--json', '--pack-destination', directory, '--loglevel', 'error'];
    const { stdout } = await run('npm', args, { cwd: join(ROOT, path) });
    const [packed] = JSON.parse(stdout) as Array<{ filename: string; name: string }>;
    const target = join(installed, packed?.name ?? '');
    await mkdir(target, { recursive: true });
    const tarball = join(directory, packed?.filename ?? '');
    await run('tar', ['-xzf', tarball, '-C', target, '--strip-components', '1']);
  }
});
afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

async function manifestOf(name: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(installed, name, 'package.json'), 'utf8')) as Manifest;
}

describe('the worker as a package', () => {
  it('holds what its manifest promises, and none of its tests', async () => {
    const { private: isPrivate, engines, exports } = await manifestOf('@gleaner/worker-sdk');
    expect(isPrivate).toBeUndefined();
    expect(engines.node).toBe('>=24');
    for (const { types, default: code } of Object.values(exports)) {
      await access(join(installed, '@gleaner/worker-sdk', types));
      await access(join(installed, '@gleaner/worker-sdk', code));
    }
    const files = await readdir(join(installed, '@gleaner/worker-sdk'), { recursive: true });
    expect(files).toContain('README.md');
    expect(files.filter((file) => /\.spec\.|\.fixture\.|tsbuildinfo/.test(file))).toEqual([]);
  });

  it('names exactly one version of each package that it shares its data with', async () => {
    const { dependencies = {} } = await manifestOf('@gleaner/worker-sdk');
    const own = Object.entries(dependencies).filter(([name]) => name.startsWith('@gleaner/'));
    expect(own.map(([name]) => name)).toContain('@gleaner/protocol');
    for (const [name, version] of own) expect((await manifestOf(name)).version).toBe(version);
  });

  it('computes for a coordinator inside somebody’s own program, and stops with it', async () => {
    const application = await createTestApplication();
    try {
      const science = await anApprovedApp(application, 'hello', helloModule('embedded\n').original);
      const example = join(installed, '@gleaner/worker-sdk/example/embed.mjs');
      const program = spawn(process.execPath, [example, application.url, join(directory, 'volunteer')], {
        cwd: directory,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let said = '';
      program.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()));
      const { answer } = await completeJob(science, {
        name: 'one unit',
        app: science.app,
        split: [{ kind: 'range', name: 'n', from: 0, to: 1, step: 1 }],
        replication: { quorum: 1, maxTasks: 4 },
        merge: { kind: 'concat' },
      });
      expect(answer).toBe('embedded\n');
      program.kill('SIGTERM');
      await once(program, 'close');
      expect(program.exitCode).toBe(0);
      expect(said).toMatch(/^volunteering for .+, run by .+$/m);
      expect(said).toMatch(/^finished hello@1: ok, \d+ cycles$/m);
      expect(said).toMatch(/^stopped: stopped$/m);
    } finally {
      await application.close();
    }
  });
});
