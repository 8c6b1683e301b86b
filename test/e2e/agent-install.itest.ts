import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { aPerson, createTestApplication, type TestApplication } from '../support/index.js';
import { packAgent } from './agent-support/packed-agent.js';
import { statusWhere } from './agent-support/running-agent.js';
import { helloModule } from './agent-support/tiny-modules.js';
import { anApprovedApp, completeJob } from './volunteering/science.js';

const run = promisify(execFile);

let application: TestApplication;
let directory: string;
let home: string;
let environment: Record<string, string>;
beforeAll(async () => {
  application = await createTestApplication();
  directory = await mkdtemp(join(tmpdir(), 'gleaner-install-'));
  home = join(directory, 'home');
  await mkdir(home);
  environment = {
    HOME: home,
    // The machine's own commands, this Node, and what is installed into the empty prefix.
    PATH: [join(directory, 'prefix', 'bin'), dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter),
    npm_config_cache: join(directory, 'npm-cache'),
    npm_config_update_notifier: 'false',
  };
});
afterAll(async () => {
  await application.close();
  await rm(directory, { recursive: true, force: true });
});

async function npm(...args: readonly string[]): Promise<void> {
  await run('npm', [...args, '--global', '--prefix', join(directory, 'prefix')], {
    env: environment,
    cwd: home,
  });
}

async function gleaner(...args: readonly string[]): Promise<string> {
  const { stdout } = await run('gleaner', [...args], { env: environment, cwd: home });
  return stdout;
}

/** Attaches by a code that this person approves as soon as it is shown. */
async function attachApprovedBy(person: Awaited<ReturnType<typeof aPerson>>): Promise<string> {
  const child = spawn('gleaner', ['agent', 'attach', application.url, '--p2p'], {
    env: environment,
    cwd: home,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let shown = '';
  let isApproved = false;
  child.stderr.on('data', (bytes: Buffer) => {
    shown += bytes.toString();
    const [userCode] = /\b[A-Z]{4}-[A-Z]{4}\b/.exec(shown) ?? [];
    if (userCode === undefined || isApproved) return;
    isApproved = true;
    void person.post('/v1/device/approve', { userCode }).then(({ status, text }) => {
      // Not approved, it would wait for ever.
      if (status !== 200) child.kill();
      shown += `\n${status} ${text}\n`;
    });
  });
  await once(child, 'close');
  expect(child.exitCode, shown).toBe(0);
  return shown;
}

async function filesUnder(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
}

it('the packed agent installs without the repository, computes for a person, and leaves nothing behind', async () => {
  await npm('install', '--offline', await packAgent(directory));

  const ada = await aPerson(application);
  const shown = await attachApprovedBy(ada);
  expect(shown).toContain('is run by');
  expect(shown).toMatch(/of account \d+/);
  expect(JSON.parse(await gleaner('agent', 'status', '--json'))).toMatchObject({
    attached: true,
    accountId: ada.account.id,
    anonymous: false,
  });

  const science = await anApprovedApp(application, 'packed', helloModule('from a tarball\n').original);
  const completing = completeJob(science, {
    name: 'one unit',
    app: science.app,
    split: [{ kind: 'range', name: 'n', from: 0, to: 1, step: 1 }],
    replication: { quorum: 1, maxTasks: 4 },
    merge: { kind: 'concat' },
  });
  const agent = spawn('gleaner', ['agent', 'run', '--always', '--cores', '1'], {
    env: environment,
    cwd: home,
    stdio: 'ignore',
  });
  const { answer } = await completing;
  expect(answer).toBe('from a tarball\n');
  // The swarm's process is in the tarball as well.
  await statusWhere(join(home, '.local', 'share', 'gleaner-agent'), ({ swarm }) => swarm?.state === 'on');
  agent.kill('SIGTERM');
  await once(agent, 'exit');
  expect(agent.exitCode).toBe(0);

  const service = await gleaner('agent', 'install', '--dry-run');
  expect(service).toContain('would write');
  expect(service).toContain(join(directory, 'prefix'));
  expect(await filesUnder(join(home, '.local'))).not.toEqual([]);
  await gleaner('agent', 'uninstall', '--remove-data');
  expect(await filesUnder(home)).toEqual([]);
  const hosts = await ada.get('/v1/hosts').expect(200);
  expect(hosts.body).toMatchObject({ items: [] });
  await npm('uninstall', 'gleaner-agent');
  expect(await filesUnder(join(directory, 'prefix'))).toEqual([]);
});
